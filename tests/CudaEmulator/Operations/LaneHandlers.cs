using System.Numerics;
using System.Runtime.CompilerServices;
using CoGrpo.CudaEmulator.Compilation;
using CoGrpo.CudaEmulator.Execution;

namespace CoGrpo.CudaEmulator.Operations;

/// <summary>A bank of registers as the operand of an operation that goes lane by lane.</summary>
internal unsafe interface IBank
{
    static abstract byte* Slot(Warp warp, int offset);

    static abstract ulong Load(byte* slot, int lane);

    static abstract void Store(byte* slot, int lane, ulong value);
}

/// <summary>32-bit registers.</summary>
internal readonly unsafe struct Words : IBank
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* Slot(Warp warp, int offset) => warp.R + offset;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Load(byte* slot, int lane) => ((uint*)slot)[lane];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(byte* slot, int lane, ulong value) => ((uint*)slot)[lane] = (uint)value;
}

/// <summary>64-bit registers.</summary>
internal readonly unsafe struct Doubles : IBank
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* Slot(Warp warp, int offset) => warp.D + offset;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Load(byte* slot, int lane) => ((ulong*)slot)[lane];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(byte* slot, int lane, ulong value) => ((ulong*)slot)[lane] = value;
}

/// <summary>No operand.</summary>
internal readonly unsafe struct Absent : IBank
{
    public static byte* Slot(Warp warp, int offset) => null;

    public static ulong Load(byte* slot, int lane) => 0;

    public static void Store(byte* slot, int lane, ulong value)
    {
    }
}

/// <summary>An operation on single values; 32-bit operands come zero-extended.</summary>
internal interface ILaneOperation
{
    static abstract ulong Apply(ulong a, ulong b, ulong c);
}

/// <summary>A test of single values.</summary>
internal interface ILaneTest
{
    static abstract bool Test(ulong a, ulong b);
}

/// <summary>Handlers that go lane by lane: for operations that are rare or have no vector form.</summary>
internal static unsafe class LaneHandlers
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* Apply<T, TD, TA, TB, TC>(Warp warp, Instr* at)
        where T : struct, ILaneOperation
        where TD : struct, IBank
        where TA : struct, IBank
        where TB : struct, IBank
        where TC : struct, IBank
    {
        byte* d = TD.Slot(warp, at->D);
        byte* a = TA.Slot(warp, at->A);
        byte* b = TB.Slot(warp, at->B);
        byte* c = TC.Slot(warp, at->C);
        if (warp.Mask == uint.MaxValue)
        {
            for (int lane = 0; lane < 32; lane++)
            {
                TD.Store(d, lane, T.Apply(TA.Load(a, lane), TB.Load(b, lane), TC.Load(c, lane)));
            }
        }
        else
        {
            for (uint rest = warp.Mask; rest != 0; rest &= rest - 1)
            {
                int lane = BitOperations.TrailingZeroCount(rest);
                TD.Store(d, lane, T.Apply(TA.Load(a, lane), TB.Load(b, lane), TC.Load(c, lane)));
            }
        }

        return at + 1;
    }

    /// <summary>A predicate from a test of A and B, finished as a comparison.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* Test<T, TA, TB>(Warp warp, Instr* at)
        where T : struct, ILaneTest
        where TA : struct, IBank
        where TB : struct, IBank
    {
        byte* a = TA.Slot(warp, at->A);
        byte* b = TB.Slot(warp, at->B);
        uint result = 0;
        for (int lane = 0; lane < 32; lane++)
        {
            result |= T.Test(TA.Load(a, lane), TB.Load(b, lane)) ? 1u << lane : 0;
        }

        Predicates.Finish(warp, at, result);
        return at + 1;
    }
}
