namespace CoGrpo.CudaEmulator.Checks;

/// <summary>Carries a violation out of the interpreter; the launch ends with it.</summary>
internal sealed class ViolationException(Violation violation) : Exception(violation.ToString())
{
    public Violation Violation { get; } = violation;
}
