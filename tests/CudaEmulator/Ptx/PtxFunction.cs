namespace CoGrpo.CudaEmulator.Ptx;

/// <summary>A kernel (<c>.entry</c>) or device function (<c>.func</c>).</summary>
internal sealed class PtxFunction
{
    public required string Name { get; init; }

    public required bool IsKernel { get; init; }

    public required IReadOnlyList<PtxVariable> Parameters { get; init; }

    public required IReadOnlyList<PtxVariable> Results { get; init; }

    /// <summary>False for a declaration.</summary>
    public required bool HasBody { get; init; }

    public required IReadOnlyList<PtxInstruction> Instructions { get; init; }

    /// <summary>Variables declared in the body, nested scopes included.</summary>
    public required IReadOnlyList<PtxVariable> Variables { get; init; }

    /// <summary>Performance directives with their numbers: <c>.maxntid</c>, <c>.reqntid</c>, <c>.minnctapersm</c>, <c>.maxnreg</c>.</summary>
    public required IReadOnlyDictionary<string, int[]> Limits { get; init; }

    public required int Line { get; init; }
}
