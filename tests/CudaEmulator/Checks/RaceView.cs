using System.Runtime.CompilerServices;

namespace CoGrpo.CudaEmulator.Checks;

/// <summary>What a warp knows about the order of accesses in one kind of memory, shared or global, at this moment.</summary>
internal struct RaceView
{
    /// <summary>Layout of the cells.</summary>
    public CellFormat Format;

    /// <summary>The block (shared memory) or launch (global memory) whose cells count.</summary>
    public uint Epoch;

    /// <summary>Cell of lane 0 without clock.</summary>
    public uint Tag;

    /// <summary>Cell of an access by lane 0 now, not strong.</summary>
    public uint Self;

    /// <summary>The block's field of the cells of this warp.</summary>
    public uint Block;

    /// <summary>Accesses of the block whose clock, in its field, lies below come before what this warp does now.</summary>
    public uint Low;

    /// <summary>Accesses of this warp whose clock lies below come before what any of its lanes does now.</summary>
    public uint WarpLow;

    public uint WarpMask;

    public uint ThreadMask;

    public uint ClockField;

    /// <summary>Begins a block.</summary>
    public void Start(in CellFormat format, uint epoch, long block, int warp)
    {
        Format = format;
        Epoch = epoch;
        Tag = format.Tag(block, warp);
        Block = Tag & format.BlockField;
        (WarpMask, ThreadMask, ClockField) = (format.WarpMask, format.ThreadMask, format.ClockField);
    }

    /// <summary>Sets the clock and the bounds.</summary>
    public void Set(uint clock, uint low, uint warpLow)
    {
        Self = Tag | Format.Clock(clock);
        Low = Format.Bound(low);
        WarpLow = Format.Bound(warpLow);
    }

    /// <summary>Whether the access that a cell names comes before everything the lane of <paramref name="self"/> does now.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly bool IsFree(uint cell, uint self)
    {
        if (cell == 0 || (cell ^ Block) < Low)
        {
            return true;
        }

        uint difference = cell ^ self;
        return (difference & ThreadMask) == 0 || ((difference & WarpMask) == 0 && (cell & ClockField) < WarpLow);
    }

    /// <summary>The cell of accesses after one more has come that is not ordered with them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly uint Merge(uint cell, uint self)
    {
        uint difference = cell ^ self;
        uint flags = (difference & Format.BlockField) != 0 ? CellFormat.Others
            : (difference & Format.WarpField) != 0 ? CellFormat.OtherWarps | CellFormat.OtherLanes
            : (difference & CellFormat.LaneField) != 0 ? CellFormat.OtherLanes : 0;
        return (cell | flags) & (self | ~CellFormat.Strong);
    }
}
