using System.Numerics;

namespace CoGrpo.CudaEmulator.Checks;

/// <summary>
/// Layout of a race cell, 32 bits that name one access. From the lowest bit: three flags, the thread (warp · 32 + lane), the clock of its block
/// at that moment, the block, and one more flag. 0 is no access; clocks start at 1. The clock stands below nothing but the block, so that one
/// comparison tells whether an access of this block is older than a bound. Grids with more blocks than the field holds let some share a number:
/// races between those are missed, nothing is reported wrongly. A clock beyond its field stays at the largest value and counts as ordered
/// within its block once the bound has passed it.
/// </summary>
internal readonly struct CellFormat
{
    /// <summary>The access is atomic, volatile or otherwise strong.</summary>
    public const uint Strong = 1;

    /// <summary>Other lanes of the warp did the same, unordered with it.</summary>
    public const uint OtherLanes = 2;

    /// <summary>Other warps of the block did.</summary>
    public const uint OtherWarps = 4;

    /// <summary>Other blocks did.</summary>
    public const uint OtherBlocks = 1u << 31;

    /// <summary>Every flag that says that more than the named thread is meant.</summary>
    public const uint Others = OtherLanes | OtherWarps | OtherBlocks;

    /// <summary>Lowest bit of the lane.</summary>
    public const int LaneShift = 3;

    public const uint LaneField = 31u << LaneShift;

    private const int WarpShift = LaneShift + 5;
    private const int FieldBits = 28;
    private const int ClockBitsWanted = 10;

    /// <summary>A layout for blocks of <paramref name="warps"/> warps in a grid of <paramref name="blocks"/> blocks.</summary>
    public CellFormat(int warps, long blocks)
    {
        int threadBits = 5 + BitOperations.Log2((2 * (uint)warps) - 1);
        int blockBits = blocks <= 1 ? 0 : Math.Min(BitOperations.Log2((ulong)blocks - 1) + 1, FieldBits - threadBits - ClockBitsWanted);
        ClockShift = LaneShift + threadBits;
        BlockShift = 31 - blockBits;
        MostClock = (1u << (BlockShift - ClockShift)) - 1;
        ClockField = MostClock << ClockShift;
        BlockField = ((1u << blockBits) - 1) << BlockShift;
        WarpField = ((1u << (threadBits - 5)) - 1) << WarpShift;
        WarpMask = BlockField | OtherBlocks | OtherWarps | WarpField;
        ThreadMask = BlockField | Others | WarpField | LaneField;
        BlocksAreExact = blocks <= 1L << blockBits;
    }

    public int ClockShift { get; }

    public int BlockShift { get; }

    public uint MostClock { get; }

    public uint ClockField { get; }

    public uint BlockField { get; }

    public uint WarpField { get; }

    /// <summary>Where two cells agree when they are of one warp and no other is meant.</summary>
    public uint WarpMask { get; }

    /// <summary>Where two cells agree when they are of one thread and no other is meant.</summary>
    public uint ThreadMask { get; }

    /// <summary>Whether every block has a number of its own.</summary>
    public bool BlocksAreExact { get; }

    /// <summary>The cell of lane 0 of a warp, without clock.</summary>
    public uint Tag(long block, int warp) => (((uint)block << BlockShift) & BlockField) | ((uint)warp << WarpShift);

    /// <summary>A clock in its field.</summary>
    public uint Clock(uint clock) => Math.Min(clock, MostClock) << ClockShift;

    /// <summary>A bound in the clock's field: accesses with clocks below it are ordered.</summary>
    public uint Bound(uint clock) => Math.Min(clock, MostClock + 1) << ClockShift;

    public int WarpOf(uint cell) => (int)((cell & WarpField) >> WarpShift);

    public static int LaneOf(uint cell) => (int)(cell & LaneField) >> LaneShift;

    public uint BlockOf(uint cell) => (cell & BlockField) >> BlockShift;
}
