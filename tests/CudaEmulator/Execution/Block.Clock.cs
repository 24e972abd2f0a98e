using CoGrpo.CudaEmulator.Checks;

namespace CoGrpo.CudaEmulator.Execution;

/// <summary>
/// The logical clock of a block, for the race check. Every event that orders accesses (barrier, warp-level barrier, fence) moves it on. Each
/// warp knows, for every other, up to which clock that one's accesses come before its own.
/// </summary>
internal sealed unsafe partial class Block
{
    private readonly uint[] _known;

    /// <summary>The clock, from 1.</summary>
    public uint Clock { get; private set; }

    /// <summary>Clock of the last fence by a thread of the block; 0 for none.</summary>
    public uint LastFence { get; set; }

    /// <summary>Words of shared memory written by strong accesses after a fence, with the clock of that fence.</summary>
    public Dictionary<ulong, uint> SharedFlags { get; } = [];

    /// <summary>Clock of other warps up to which a warp is ordered after them.</summary>
    public uint Known(int warp, int other) => _known[(warp * Warps.Length) + other];

    /// <summary>The largest clock up to which a warp is ordered after any other warp or lane.</summary>
    public uint MostKnown(int warp)
    {
        uint most = Warps[warp].WarpLow;
        for (int other = 0; other < Warps.Length; other++)
        {
            most = Math.Max(most, Known(warp, other));
        }

        return most;
    }

    /// <summary>All warps have met: what was before is ordered before what comes, everywhere.</summary>
    public void OrderAll()
    {
        Clock++;
        Array.Fill(_known, Clock);
        foreach (Warp warp in Warps)
        {
            warp.Lanes = null;
            SetViews(warp, Clock, Clock);
        }
    }

    /// <summary>All live lanes of a warp have met.</summary>
    public void OrderWarp(Warp warp)
    {
        Clock++;
        warp.Lanes = null;
        _known[(warp.Index * Warps.Length) + warp.Index] = Clock;
        SetViews(warp, LowOf(warp), Clock);
    }

    /// <summary>Some lanes of a warp have met.</summary>
    public void OrderLanes(Warp warp, uint lanes)
    {
        Clock++;
        (warp.Lanes ??= new LaneOrder(warp.WarpLow)).Meet(lanes, Clock);
        SetViews(warp, LowOf(warp), warp.WarpLow);
    }

    /// <summary>A warp arrives where others will wait for it: its accesses so far and what it knows go into <paramref name="row"/>.</summary>
    public void Publish(Warp warp, uint[] row)
    {
        Clock++;
        for (int other = 0; other < Warps.Length; other++)
        {
            row[other] = Math.Max(row[other], other == warp.Index ? Clock : Known(warp.Index, other));
        }

        SetViews(warp, LowOf(warp), warp.WarpLow);
    }

    /// <summary>A warp goes on after all that <paramref name="row"/> stands for.</summary>
    public void Acquire(Warp warp, uint[] row, bool lanesMet)
    {
        for (int other = 0; other < Warps.Length; other++)
        {
            ref uint known = ref _known[(warp.Index * Warps.Length) + other];
            known = Math.Max(known, row[other]);
        }

        if (lanesMet)
        {
            warp.Lanes = null;
        }

        SetViews(warp, LowOf(warp), lanesMet ? Math.Max(warp.WarpLow, row[warp.Index]) : warp.WarpLow);
    }

    /// <summary>A fence: accesses of the block so far get an earlier clock than all that come. Returns the clock that parts them.</summary>
    public uint Fence()
    {
        Clock++;
        foreach (Warp warp in Warps)
        {
            SetViews(warp, LowOf(warp), warp.WarpLow);
        }

        return Clock;
    }

    /// <summary>A warp goes on after everything the block did before <paramref name="clock"/>.</summary>
    public void AcquireBlock(Warp warp, uint clock)
    {
        for (int other = 0; other < Warps.Length; other++)
        {
            ref uint known = ref _known[(warp.Index * Warps.Length) + other];
            known = Math.Max(known, clock);
        }

        warp.Lanes?.Raise(clock);
        SetViews(warp, LowOf(warp), Math.Max(warp.WarpLow, clock));
    }

    private void StartClock()
    {
        Clock = 1;
        LastFence = 0;
        SharedFlags.Clear();
        Array.Fill(_known, 1u);
        foreach (NamedBarrier barrier in Barriers)
        {
            barrier.Reset();
        }

        foreach (Warp warp in Warps)
        {
            warp.Lanes = null;
            warp.GlobalView.Start(Launch.GlobalFormat, Launch.Number, Number, warp.Index);
            warp.SharedView.Start(Launch.SharedFormat, _epoch, 0, warp.Index);
            SetViews(warp, 1, 1);
        }
    }

    /// <summary>Up to which clock the accesses of all warps and lanes are ordered before what a warp does now.</summary>
    private uint LowOf(Warp warp)
    {
        uint low = uint.MaxValue;
        for (int other = 0; other < Warps.Length; other++)
        {
            if (other != warp.Index)
            {
                low = Math.Min(low, Known(warp.Index, other));
            }
        }

        return Math.Min(low, warp.WarpLow);
    }

    private void SetViews(Warp warp, uint low, uint warpLow)
    {
        warp.WarpLow = warpLow;
        low = Math.Min(low, warpLow);
        warp.SharedView.Set(Clock, low, warpLow);
        warp.GlobalView.Set(Clock, low, warpLow);
    }
}
