namespace CoGrpo.CudaEmulator.Ptx;

/// <summary>State spaces of variables.</summary>
internal enum PtxSpace
{
    Global,
    Constant,
    Shared,
    Local,
    Parameter,
}

/// <summary>A variable or parameter.</summary>
internal sealed class PtxVariable
{
    public required string Name { get; init; }

    public required PtxSpace Space { get; init; }

    public required PtxType Type { get; init; }

    public required int Alignment { get; init; }

    /// <summary>Size; 0 for the array of unknown length that stands for dynamic shared memory.</summary>
    public required long Bytes { get; init; }

    public bool IsExternal { get; init; }

    /// <summary>Initial bytes; missing ones are zero. Null for none.</summary>
    public byte[]? Initial { get; init; }

    /// <summary>Places in <see cref="Initial"/> that hold the address of a symbol.</summary>
    public IReadOnlyList<(int Offset, string Symbol, long Addend, bool Generic)> Relocations { get; init; } = [];
}
