using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using CoGrpo.CudaEmulator.Compilation;
using CoGrpo.CudaEmulator.Execution;

namespace CoGrpo.CudaEmulator.Operations;

/// <summary>An operation on 32-bit lanes, sixteen at a time.</summary>
internal interface IWordOperation
{
    static abstract Vector512<uint> Apply(Vector512<uint> a, Vector512<uint> b, Vector512<uint> c);
}

/// <summary>An operation on 64-bit lanes, eight at a time.</summary>
internal interface IDoubleOperation
{
    static abstract Vector512<ulong> Apply(Vector512<ulong> a, Vector512<ulong> b, Vector512<ulong> c);
}

/// <summary>A comparison of 32-bit lanes: all ones where it holds.</summary>
internal interface IWordComparison
{
    static abstract Vector512<uint> Test(Vector512<uint> a, Vector512<uint> b);
}

/// <summary>A comparison of 64-bit lanes.</summary>
internal interface IDoubleComparison
{
    static abstract Vector512<ulong> Test(Vector512<ulong> a, Vector512<ulong> b);
}

/// <summary>Handlers that apply an operation to all lanes of slots. Operands A, B, C, result D.</summary>
internal static unsafe class VectorHandlers
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* Unary<T>(Warp warp, Instr* at)
        where T : struct, IWordOperation
    {
        byte* a = warp.R + at->A;
        LaneVectors.Store(warp, at->D, T.Apply(LaneVectors.Low(a), default, default), T.Apply(LaneVectors.High(a), default, default));
        return at + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* Binary<T>(Warp warp, Instr* at)
        where T : struct, IWordOperation
    {
        byte* a = warp.R + at->A;
        byte* b = warp.R + at->B;
        LaneVectors.Store(
            warp,
            at->D,
            T.Apply(LaneVectors.Low(a), LaneVectors.Low(b), default),
            T.Apply(LaneVectors.High(a), LaneVectors.High(b), default)
        );
        return at + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* Ternary<T>(Warp warp, Instr* at)
        where T : struct, IWordOperation
    {
        byte* a = warp.R + at->A;
        byte* b = warp.R + at->B;
        byte* c = warp.R + at->C;
        LaneVectors.Store(
            warp,
            at->D,
            T.Apply(LaneVectors.Low(a), LaneVectors.Low(b), LaneVectors.Low(c)),
            T.Apply(LaneVectors.High(a), LaneVectors.High(b), LaneVectors.High(c))
        );
        return at + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* UnaryDouble<T>(Warp warp, Instr* at)
        where T : struct, IDoubleOperation
    {
        byte* a = warp.D + at->A;
        for (int i = 0; i < 4; i++)
        {
            LaneVectors.Store(warp, at->D, i, T.Apply(LaneVectors.Quarter(a, i), default, default));
        }

        return at + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* BinaryDouble<T>(Warp warp, Instr* at)
        where T : struct, IDoubleOperation
    {
        byte* a = warp.D + at->A;
        byte* b = warp.D + at->B;
        for (int i = 0; i < 4; i++)
        {
            LaneVectors.Store(warp, at->D, i, T.Apply(LaneVectors.Quarter(a, i), LaneVectors.Quarter(b, i), default));
        }

        return at + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* TernaryDouble<T>(Warp warp, Instr* at)
        where T : struct, IDoubleOperation
    {
        byte* a = warp.D + at->A;
        byte* b = warp.D + at->B;
        byte* c = warp.D + at->C;
        for (int i = 0; i < 4; i++)
        {
            LaneVectors.Store(warp, at->D, i, T.Apply(LaneVectors.Quarter(a, i), LaneVectors.Quarter(b, i), LaneVectors.Quarter(c, i)));
        }

        return at + 1;
    }

    /// <summary>64-bit lanes with a count of 32 bits in B.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* ShiftDouble<T>(Warp warp, Instr* at)
        where T : struct, IDoubleOperation
    {
        byte* a = warp.D + at->A;
        byte* b = warp.R + at->B;
        for (int half = 0; half < 2; half++)
        {
            Vector512<uint> count = Vector512.LoadAligned((uint*)b + (16 * half));
            LaneVectors.Store(warp, at->D, 2 * half, T.Apply(LaneVectors.Quarter(a, 2 * half), Vector512.WidenLower(count), default));
            LaneVectors.Store(warp, at->D, (2 * half) + 1, T.Apply(LaneVectors.Quarter(a, (2 * half) + 1), Vector512.WidenUpper(count), default));
        }

        return at + 1;
    }

    /// <summary>64-bit result of unsigned 32-bit A and B and, where the operation takes it, 64-bit C.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* WidenUnsigned<T>(Warp warp, Instr* at)
        where T : struct, IDoubleOperation
    {
        byte* a = warp.R + at->A;
        byte* b = warp.R + at->B;
        byte* c = warp.D + at->C;
        for (int half = 0; half < 2; half++)
        {
            Vector512<uint> x = Vector512.LoadAligned((uint*)a + (16 * half));
            Vector512<uint> y = Vector512.LoadAligned((uint*)b + (16 * half));
            LaneVectors.Store(warp, at->D, 2 * half, T.Apply(Vector512.WidenLower(x), Vector512.WidenLower(y), LaneVectors.Quarter(c, 2 * half)));
            LaneVectors.Store(
                warp,
                at->D,
                (2 * half) + 1,
                T.Apply(Vector512.WidenUpper(x), Vector512.WidenUpper(y), LaneVectors.Quarter(c, (2 * half) + 1))
            );
        }

        return at + 1;
    }

    /// <summary>As <see cref="WidenUnsigned"/>, for signed A and B.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* WidenSigned<T>(Warp warp, Instr* at)
        where T : struct, IDoubleOperation
    {
        byte* a = warp.R + at->A;
        byte* b = warp.R + at->B;
        byte* c = warp.D + at->C;
        for (int half = 0; half < 2; half++)
        {
            Vector512<int> x = Vector512.LoadAligned((int*)a + (16 * half));
            Vector512<int> y = Vector512.LoadAligned((int*)b + (16 * half));
            LaneVectors.Store(
                warp,
                at->D,
                2 * half,
                T.Apply(Vector512.WidenLower(x).AsUInt64(), Vector512.WidenLower(y).AsUInt64(), LaneVectors.Quarter(c, 2 * half))
            );
            LaneVectors.Store(
                warp,
                at->D,
                (2 * half) + 1,
                T.Apply(Vector512.WidenUpper(x).AsUInt64(), Vector512.WidenUpper(y).AsUInt64(), LaneVectors.Quarter(c, (2 * half) + 1))
            );
        }

        return at + 1;
    }

    /// <summary>
    /// Predicate D of a comparison; with C ≥ 0 combined with predicate C (flipped by GuardFlip) as Extra says, and E the other result.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* Compare<T>(Warp warp, Instr* at)
        where T : struct, IWordComparison
    {
        byte* a = warp.R + at->A;
        byte* b = warp.R + at->B;
        uint result = LaneVectors.Bits(T.Test(LaneVectors.Low(a), LaneVectors.Low(b)), T.Test(LaneVectors.High(a), LaneVectors.High(b)));
        Predicates.Finish(warp, at, result);
        return at + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* CompareDouble<T>(Warp warp, Instr* at)
        where T : struct, IDoubleComparison
    {
        byte* a = warp.D + at->A;
        byte* b = warp.D + at->B;
        uint result = 0;
        for (int i = 0; i < 4; i++)
        {
            result |= (uint)T.Test(LaneVectors.Quarter(a, i), LaneVectors.Quarter(b, i)).ExtractMostSignificantBits() << (8 * i);
        }

        Predicates.Finish(warp, at, result);
        return at + 1;
    }

    /// <summary>A where predicate Guard holds, else B.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* Select(Warp warp, Instr* at)
    {
        uint which = warp.P[at->C] ^ (uint)at->Value;
        byte* a = warp.R + at->A;
        byte* b = warp.R + at->B;
        LaneVectors.Store(warp, at->D,
            Vector512.ConditionalSelect(LaneVectors.Expand(which, 0), LaneVectors.Low(a), LaneVectors.Low(b)),
            Vector512.ConditionalSelect(LaneVectors.Expand(which, 1), LaneVectors.High(a), LaneVectors.High(b)));
        return at + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* SelectDouble(Warp warp, Instr* at)
    {
        uint which = warp.P[at->C] ^ (uint)at->Value;
        byte* a = warp.D + at->A;
        byte* b = warp.D + at->B;
        for (int i = 0; i < 4; i++)
        {
            LaneVectors.Store(
                warp,
                at->D,
                i,
                Vector512.ConditionalSelect(LaneVectors.ExpandQuarter(which, i), LaneVectors.Quarter(a, i), LaneVectors.Quarter(b, i))
            );
        }

        return at + 1;
    }
}
