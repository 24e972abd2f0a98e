using CoGrpo.CudaEmulator.Memory;

namespace CoGrpo.CudaEmulator.Checks;

/// <summary>Carries a violation out of the interpreter; the launch ends with it.</summary>
internal sealed unsafe class ViolationException(Violation violation) : Exception(violation.ToString())
{
    public Violation Violation { get; } = violation;

    /// <summary>Where bytes were read that nothing had written; null for other violations.</summary>
    public Region* Unwritten { get; init; }

    /// <summary>Offset of the first such byte.</summary>
    public ulong UnwrittenOffset { get; init; }
}
