using System.Diagnostics;
using System.Runtime.Intrinsics;
using CoGrpo.CudaEmulator.Compilation;
using CoGrpo.CudaEmulator.Execution;

namespace CoGrpo.CudaEmulator.Operations;

/// <summary>Clocks: instructions of the warp stand for cycles, the host's time for the global timer.</summary>
internal static unsafe class ClockOperations
{
    /// <summary>The low (Extra 0) or high (1) half of the warp's clock.</summary>
    public static Instr* Clock(Warp warp, Instr* at)
    {
        Vector512<uint> value = Vector512.Create((uint)(Now(warp) >> (32 * at->Extra)));
        LaneVectors.Store(warp, at->D, value, value);
        return at + 1;
    }

    public static Instr* Clock64(Warp warp, Instr* at)
    {
        for (int i = 0; i < 4; i++)
        {
            LaneVectors.Store(warp, at->D, i, Vector512.Create((ulong)Now(warp)));
        }

        return at + 1;
    }

    public static Instr* GlobalTimer(Warp warp, Instr* at)
    {
        ulong now = Nanoseconds();
        for (int i = 0; i < 4; i++)
        {
            LaneVectors.Store(warp, at->D, i, Vector512.Create(now));
        }

        return at + 1;
    }

    public static Instr* GlobalTimerHalf(Warp warp, Instr* at)
    {
        Vector512<uint> value = Vector512.Create((uint)(Nanoseconds() >> (32 * at->Extra)));
        LaneVectors.Store(warp, at->D, value, value);
        return at + 1;
    }

    /// <summary>nanosleep: the rest of the turn goes to others.</summary>
    public static Instr* Sleep(Warp warp, Instr* at)
    {
        warp.Executed -= warp.Budget;
        warp.Budget = 0;
        return at + 1;
    }

    /// <summary>Instructions are counted by whole blocks; reading the clock moves it on too, so that it never stands still.</summary>
    private static long Now(Warp warp) => warp.Executed + warp.TurnStart - warp.Budget + ++warp.ClockReads;

    private static ulong Nanoseconds() => (ulong)(Stopwatch.GetTimestamp() * (1_000_000_000.0 / Stopwatch.Frequency));
}
