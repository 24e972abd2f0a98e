using System.Numerics;
using System.Runtime.InteropServices;

namespace CoGrpo.CudaEmulator.Checks;

/// <summary>
/// Layout of a race cell, which names one access: four flags, the block, the thread in it (warp · 32 + lane) and the clock of the block at
/// that moment. 0 is no access; clocks start at 1. Grids with more blocks than the field holds let some blocks share a number: races between
/// those are missed, nothing is reported wrongly. A clock beyond its field stays at the largest value and counts as ordered within its block.
/// </summary>
internal sealed unsafe class CellFormat : IDisposable
{
    /// <summary>The access is atomic, volatile or otherwise strong.</summary>
    public const uint Strong = 1u << 28;

    /// <summary>Other lanes of the warp did the same, unordered with it.</summary>
    public const uint OtherLanes = 1u << 29;

    /// <summary>Other warps of the block did.</summary>
    public const uint OtherWarps = 1u << 30;

    /// <summary>Other blocks did.</summary>
    public const uint OtherBlocks = 1u << 31;

    /// <summary>Every flag that says that more than the named thread is meant.</summary>
    public const uint Others = OtherLanes | OtherWarps | OtherBlocks;

    private const int FieldBits = 28;
    private const int ClockBitsWanted = 10;

    private readonly uint*[] _lanes = new uint*[5];

    /// <summary>A layout for blocks of <paramref name="threads"/> threads (a multiple of 32) in a grid of <paramref name="blocks"/> blocks.</summary>
    public CellFormat(int threads, long blocks)
    {
        int threadBits = BitOperations.Log2((uint)threads - 1) + 1;
        int blockBits = blocks <= 1 ? 0 : Math.Min(BitOperations.Log2((ulong)blocks - 1) + 1, FieldBits - threadBits - ClockBitsWanted);
        ClockBits = FieldBits - threadBits - blockBits;
        BlockShift = ClockBits + threadBits;
        ClockMask = (1u << ClockBits) - 1;
        BlockField = ((1u << blockBits) - 1) << BlockShift;
        uint warpField = (((1u << threadBits) - 1) << ClockBits) & ~(31u << ClockBits);
        BlockMask = BlockField | OtherBlocks;
        WarpMask = BlockField | OtherBlocks | OtherWarps | warpField;
        ThreadMask = BlockField | Others | warpField | (31u << ClockBits);
        WarpField = warpField;
        BlocksAreExact = blocks <= 1L << blockBits;
        for (int ratio = 0; ratio < _lanes.Length; ratio++)
        {
            // 16 entries more than there are cells, for vectors that begin at the last ones.
            int count = 32 << ratio;
            _lanes[ratio] = (uint*)NativeMemory.AlignedAlloc((nuint)(count + 16) * sizeof(uint), 64);
            for (int i = 0; i < count + 16; i++)
            {
                _lanes[ratio][i] = (uint)Math.Min(i >> ratio, 31) << ClockBits;
            }
        }
    }

    /// <summary>Lowest bits: the clock.</summary>
    public int ClockBits { get; }

    public uint ClockMask { get; }

    public int BlockShift { get; }

    public uint BlockField { get; }

    public uint WarpField { get; }

    /// <summary>Where two cells agree when they are of one block and no other block is meant.</summary>
    public uint BlockMask { get; }

    /// <summary>Where two cells agree when they are of one warp and no other is meant.</summary>
    public uint WarpMask { get; }

    /// <summary>Where two cells agree when they are of one thread and no other is meant.</summary>
    public uint ThreadMask { get; }

    /// <summary>Whether every block has a number of its own.</summary>
    public bool BlocksAreExact { get; }

    /// <summary>Clock of a cell as it stands in the field.</summary>
    public uint Clock(uint clock) => Math.Min(clock, ClockMask);

    /// <summary>Bound below which clocks are ordered, in terms of the field: a clock at the limit of the field counts as ordered once the bound has passed it.</summary>
    public uint Bound(uint clock) => clock > ClockMask ? ClockMask + 1 : clock;

    public int WarpOf(uint cell) => (int)((cell & WarpField) >> (ClockBits + 5));

    public int LaneOf(uint cell) => (int)(cell >> ClockBits) & 31;

    public uint BlockOf(uint cell) => (cell & BlockField) >> BlockShift;

    /// <summary>Lane fields of consecutive cells where each lane has 2^<paramref name="ratio"/> of them.</summary>
    public uint* Lanes(int ratio) => _lanes[ratio];

    public void Dispose()
    {
        for (int i = 0; i < _lanes.Length; i++)
        {
            NativeMemory.AlignedFree(_lanes[i]);
            _lanes[i] = null;
        }
    }
}
