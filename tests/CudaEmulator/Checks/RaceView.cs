namespace CoGrpo.CudaEmulator.Checks;

/// <summary>What a warp knows about the order of accesses in one kind of memory, shared or global, at this moment.</summary>
internal struct RaceView
{
    /// <summary>Layout of the cells.</summary>
    public CellFormat Format;

    /// <summary>The block (shared memory) or launch (global memory) whose cells count.</summary>
    public uint Epoch;

    /// <summary>Cell of an access by lane 0 now, not strong.</summary>
    public uint Self;

    /// <summary>Accesses of the block with an earlier clock come before what this warp does now.</summary>
    public uint Low;

    /// <summary>Accesses of this warp with an earlier clock come before what any of its lanes does now.</summary>
    public uint WarpLow;
}
