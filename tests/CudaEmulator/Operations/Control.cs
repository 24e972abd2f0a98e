using System.Numerics;
using System.Runtime.CompilerServices;
using CoGrpo.CudaEmulator.Compilation;
using CoGrpo.CudaEmulator.Execution;

namespace CoGrpo.CudaEmulator.Operations;

/// <summary>Heads of blocks, branches, calls, ends.</summary>
internal static unsafe class Control
{
    /// <summary>Head of a block: counts it (C: number of its instructions) and lets others go first that are behind.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* Head(Warp warp, Instr* at)
    {
        if (at >= warp.Stop)
        {
            Instr* next = warp.Reschedule(at);
            if (next == null || (nint)next->Handler != (nint)at->Handler)
            {
                return next;
            }

            at = next;
        }

        long* counts = warp.BlockCounts + at->A;
        counts[0]++;
        counts[1] += BitOperations.PopCount(warp.Active);
        warp.Budget -= at->C;
        return warp.Budget < 0 ? warp.EndTurn(at + 1) : at + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* Goto(Warp warp, Instr* at) => (Instr*)at->Value;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* Branch(Warp warp, Instr* at)
    {
        uint taken = (warp.P[at->Guard] ^ at->GuardFlip) & warp.Active;
        if (taken == warp.Active)
        {
            return (Instr*)at->Value;
        }

        return taken == 0 ? at + 1 : warp.Diverge(taken, (Instr*)at->Value, at + 1);
    }

    /// <summary>Executes the inner handler for the lanes whose predicate holds.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* Guarded(Warp warp, Instr* at)
    {
        uint lanes = (warp.P[at->Guard] ^ at->GuardFlip) & warp.Active;
        if (lanes == 0)
        {
            return at + 1;
        }

        warp.Mask = lanes;
        warp.Store = lanes | warp.Dead;
        Instr* next = at->Inner(warp, at);
        warp.SetActive(warp.Active);
        return next;
    }

    /// <summary>Branches by a register (A) through a table of heads (object Extra).</summary>
    public static Instr* Table(Warp warp, Instr* at)
    {
        nint[] targets = (nint[])warp.Launch.Code.Objects[at->Extra];
        uint* index = (uint*)(warp.R + at->A);
        List<(uint Lanes, nint Target)> ways = [];
        uint rest = warp.Active;
        while (rest != 0)
        {
            int first = BitOperations.TrailingZeroCount(rest);
            uint same = 0;
            for (uint left = rest; left != 0; left &= left - 1)
            {
                int lane = BitOperations.TrailingZeroCount(left);
                same |= index[lane] == index[first] ? 1u << lane : 0;
            }

            if (index[first] >= (uint)targets.Length)
            {
                throw warp.Fail(ViolationKind.BadTarget, at, first, $"branch through a table of {targets.Length} targets with index {index[first]}");
            }

            ways.Add((same, targets[index[first]]));
            rest &= ~same;
        }

        return ways.Count == 1 ? (Instr*)ways[0].Target : warp.Diverge(ways);
    }

    public static Instr* Exit(Warp warp, Instr* at) => warp.EndActive(at);

    public static Instr* Call(Warp warp, Instr* at)
    {
        var site = (Compilation.CallSite)warp.Launch.Code.Objects[at->Extra];
        FunctionCode? target = site.Target;
        if (target is null)
        {
            // Lanes that call another function than the first active lane come after it.
            ulong* pointers = (ulong*)(warp.D + at->A);
            int first = Warp.FirstLane(warp.Active);
            uint same = 0;
            for (int lane = first; lane < 32; lane++)
            {
                same |= (warp.Active >> lane & 1) != 0 && pointers[lane] == pointers[first] ? 1u << lane : 0;
            }

            ulong number = (pointers[first] - KernelCode.FunctionAddress) / KernelCode.FunctionDistance;
            IReadOnlyList<FunctionCode?> callable = warp.Launch.Code.Callable;
            target = pointers[first] % KernelCode.FunctionDistance == 0 && number < (ulong)callable.Count ? callable[(int)number] : null;
            if (target is null)
            {
                throw warp.Fail(
                    ViolationKind.BadTarget,
                    at,
                    first,
                    $"call through a pointer that is no function of the module: 0x{pointers[first]:x}"
                );
            }

            if (same != warp.Active)
            {
                warp.Split(same, at);
            }
        }

        Frame? frame = warp.Block.NewFrame(warp, target, at + 1, site);
        if (frame is null)
        {
            throw warp.Fail(
                ViolationKind.StackOverflow,
                at,
                Warp.FirstLane(warp.Active),
                $"call of {target.Name} at depth {warp.Frame.Depth}: the stack is full"
            );
        }

        Copy(warp, warp.R, site.Arguments, frame.R, target.ParameterSlots);
        foreach (Preset preset in target.Presets)
        {
            warp.Block.Fill(preset, warp.Index, frame.R, frame.D, frame.P, warp.Active);
        }

        warp.Local.Forget(frame.Local, target.LocalBytes, warp.Active);
        warp.EnterFrame(frame);
        return target.Entry;
    }

    public static Instr* Return(Warp warp, Instr* at)
    {
        Frame frame = warp.Frame;
        Copy(warp, frame.R, frame.Function.ResultSlots, frame.Parent!.R, frame.Site!.Results);
        warp.EnterFrame(frame.Parent);
        return warp.IsSplit ? warp.Reschedule(frame.Return) : frame.Return;
    }

    /// <summary>An instruction that is not executed: says so.</summary>
    public static Instr* Unsupported(Warp warp, Instr* at) =>
        throw warp.Fail(ViolationKind.NotSupported, at, Warp.FirstLane(warp.Mask), (string)warp.Launch.Code.Objects[at->Extra]);

    public static Instr* Trap(Warp warp, Instr* at) =>
        throw warp.Fail(ViolationKind.Trap, at, Warp.FirstLane(warp.Mask), "the kernel executed a trap");

    public static Instr* Nothing(Warp warp, Instr* at) => at + 1;

    private static void Copy(Warp warp, byte* from, int[] fromSlots, byte* to, int[] toSlots)
    {
        for (int i = 0; i < Math.Min(fromSlots.Length, toSlots.Length); i++)
        {
            uint* source = (uint*)(from + fromSlots[i]);
            uint* target = (uint*)(to + toSlots[i]);
            for (uint rest = warp.Active; rest != 0; rest &= rest - 1)
            {
                int lane = BitOperations.TrailingZeroCount(rest);
                target[lane] = source[lane];
            }
        }
    }
}
