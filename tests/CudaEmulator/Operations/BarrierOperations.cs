using CoGrpo.CudaEmulator.Compilation;
using CoGrpo.CudaEmulator.Execution;

namespace CoGrpo.CudaEmulator.Operations;

/// <summary>Barriers of the block and of the warp.</summary>
internal static unsafe class BarrierOperations
{
    /// <summary><see cref="Instr.Extra"/>: the warp does not wait.</summary>
    public const int ArriveOnly = 1;

    /// <summary><see cref="Instr.Flags"/>: what is made of the threads' predicates.</summary>
    public const int NoReduction = -1;
    public const int Count = 0;
    public const int AllOf = 1;
    public const int AnyOf = 2;

    /// <summary>bar, barrier: number in slot A, threads in slot B unless negative, predicate C flipped by Value, result D.</summary>
    public static Instr* Block(Warp warp, Instr* at)
    {
        uint live = ~warp.Dead;
        if (warp.Active != live)
        {
            return warp.AwaitLanes(at, live, Warp.BarrierWait);
        }

        int lane = Warp.FirstLane(warp.Active);
        uint id = ((uint*)(warp.R + at->A))[lane];
        int threads = at->B < 0 ? 0 : ((int*)(warp.R + at->B))[lane];
        uint votes = at->Flags == NoReduction ? 0 : warp.P[at->C] ^ (uint)at->Value;
        return warp.Block.Arrive(warp, at, id, threads, at->Extra != ArriveOnly, votes);
    }

    /// <summary>Gives a warp the result of the reduction that its barrier made.</summary>
    public static void Deliver(Warp warp, Instr* at, int votes, int voters)
    {
        if (at->Flags == Count)
        {
            var value = System.Runtime.Intrinsics.Vector512.Create((uint)votes);
            LaneVectors.Store(warp, at->D, value, value);
            return;
        }

        bool holds = at->Flags == AllOf ? votes == voters : votes > 0;
        LaneVectors.StorePredicate(warp, at->D, holds ? uint.MaxValue : 0);
    }

    /// <summary>bar.warp.sync: lanes in slot A.</summary>
    public static Instr* Lanes(Warp warp, Instr* at)
    {
        uint* wanted = (uint*)(warp.R + at->A);
        if (WarpOperations.IsWhole(warp, wanted))
        {
            warp.Block.OrderWarp(warp);
            return at + 1;
        }

        if (WarpOperations.Uniform(warp, wanted, out uint mask))
        {
            if ((mask & ~warp.Dead & ~warp.Active) != 0)
            {
                Instr* next = warp.Release(at, mask, "bar.warp.sync");
                if (next == null)
                {
                    return warp.AwaitLanes(at, mask, "bar.warp.sync");
                }

                warp.Block.OrderLanes(warp, mask);
                return next;
            }

            WarpOperations.Members(warp, at, mask);
            if ((~warp.Dead & ~mask) == 0)
            {
                warp.Block.OrderWarp(warp);
            }
            else
            {
                warp.Block.OrderLanes(warp, mask);
            }

            return at + 1;
        }

        Instr* waits = WarpOperations.Gather(warp, at, wanted, "bar.warp.sync");
        if (waits != null)
        {
            return waits;
        }

        uint done = 0;
        for (int lane = 0; lane < 32; lane++)
        {
            if ((warp.Active >> lane & 1) != 0 && (done >> lane & 1) == 0)
            {
                warp.Block.OrderLanes(warp, wanted[lane]);
                done |= wanted[lane];
            }
        }

        return at + 1;
    }
}
