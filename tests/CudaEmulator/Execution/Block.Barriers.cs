using System.Numerics;
using CoGrpo.CudaEmulator.Checks;
using CoGrpo.CudaEmulator.Compilation;
using CoGrpo.CudaEmulator.Operations;

namespace CoGrpo.CudaEmulator.Execution;

/// <summary>Barriers of the block. Warps arrive as wholes: lanes that are apart have met before.</summary>
internal sealed unsafe partial class Block
{
    private NamedBarrier[] Barriers { get; }

    /// <summary>A warp arrives at barrier <paramref name="id"/>.</summary>
    /// <param name="warp">The warp, all its live lanes active.</param>
    /// <param name="at">The instruction.</param>
    /// <param name="id">0 to 15.</param>
    /// <param name="threads">Threads that take part, or 0 for all that live.</param>
    /// <param name="waits">False to go on at once.</param>
    /// <param name="votes">Lanes whose predicate holds, for reductions.</param>
    /// <returns>Where the warp goes on; null when it waits.</returns>
    public Instr* Arrive(Warp warp, Instr* at, uint id, int threads, bool waits, uint votes)
    {
        warp.Counters->Barriers++;
        if (id >= 16)
        {
            throw warp.Fail(ViolationKind.NotSupported, at, Warp.FirstLane(warp.Active), $"barrier: wanted a number below 16, got {id}");
        }

        if (threads % 32 != 0 || threads > 32 * Warps.Length)
        {
            throw warp.Fail(ViolationKind.DivergentBarrier, at, Warp.FirstLane(warp.Active),
                $"barrier {id}: wanted a number of threads that is a multiple of 32 and at most the {32 * Warps.Length} of the block, got {threads}");
        }

        NamedBarrier barrier = Barriers[id];
        if (barrier.Arrived == 0)
        {
            barrier.First = at;
            barrier.Expected = threads / 32;
        }
        else if (barrier.Expected != threads / 32 || (threads == 0 && !SameBarrier(barrier.First, at)))
        {
            throw warp.Fail(ViolationKind.DivergentBarrier, at, Warp.FirstLane(warp.Active),
                $"warps of one block are at different barriers: {barrier.Arrived} at {Launch.Code.PlaceOf(barrier.First)}, this one at {Launch.Code.PlaceOf(at)}");
        }

        barrier.Arrived++;
        barrier.Votes += BitOperations.PopCount(votes & warp.Active);
        barrier.Voters += BitOperations.PopCount(warp.Active);
        bool whole = threads == 0;
        if (!whole && Launch.ChecksRaces)
        {
            Publish(warp, barrier.Row);
        }

        if (waits)
        {
            barrier.Waiting.Add(warp);
            warp.Leave(at + 1, WarpStatus.AtBarrier);
        }

        bool complete = Complete(barrier);
        if (!waits)
        {
            return at + 1;
        }

        // The last to arrive goes on without leaving the interpreter.
        return complete ? at + 1 : null;
    }

    /// <summary>A warp has ended: barriers that waited for all live threads may be complete without it.</summary>
    private void WarpEnded(Warp warp)
    {
        foreach (NamedBarrier barrier in Barriers)
        {
            if (barrier.Arrived > 0 && barrier.Expected == 0)
            {
                Complete(barrier);
            }
        }
    }

    private bool SameBarrier(Instr* a, Instr* b) =>
        a == b || !Launch.Options.Checks.HasFlag(EmulatorCheck.Divergence) || Launch.Code.OriginOf(a)?.Source == Launch.Code.OriginOf(b)?.Source;

    private bool Complete(NamedBarrier barrier)
    {
        int wanted = barrier.Expected;
        if (wanted == 0)
        {
            foreach (Warp warp in Warps)
            {
                wanted += warp.Status == WarpStatus.Done ? 0 : 1;
            }
        }

        if (barrier.Arrived < wanted)
        {
            return false;
        }

        if (barrier.Expected == 0)
        {
            OrderAll();
        }

        foreach (Warp warp in barrier.Waiting)
        {
            if (barrier.Expected != 0 && Launch.ChecksRaces)
            {
                Acquire(warp, barrier.Row, true);
            }

            Instr* at = warp.Resume - 1;
            if (at->Flags >= 0)
            {
                BarrierOperations.Deliver(warp, at, barrier.Votes, barrier.Voters);
            }

            warp.Status = WarpStatus.Ready;
        }

        barrier.Reset();
        return true;
    }

    private ViolationException Stuck()
    {
        Warp blamed = Warps.First(w => w.Status != WarpStatus.Done);
        IEnumerable<string> groups = Warps
            .GroupBy(w => w.Status == WarpStatus.Done ? "ended" : $"wait at a barrier at {Launch.Code.PlaceOf(w.Resume - 1)}")
            .Select(g => $"warps {string.Join(',', g.Select(w => w.Index))} {g.Key}");
        return blamed.Fail(
            ViolationKind.DivergentBarrier,
            blamed.Resume - 1,
            Warp.FirstLane(blamed.Active),
            $"not all threads that a barrier waits for reach it: {string.Join("; ", groups)}"
        );
    }
}
