using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using CoGrpo.CudaEmulator.Execution;
using L = System.Runtime.Intrinsics.Vector512<ulong>;

namespace CoGrpo.CudaEmulator.Operations;

// Integer operations on 64-bit lanes.
#pragma warning disable SA1649, SA1402
internal readonly struct Copy64 : IDoubleOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Apply(L a, L b, L c) => a;
}

internal readonly struct Add64 : IDoubleOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Apply(L a, L b, L c) => a + b;
}

internal readonly struct Sub64 : IDoubleOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Apply(L a, L b, L c) => a - b;
}

internal readonly struct MulLow64 : IDoubleOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Apply(L a, L b, L c) => a * b;
}

internal readonly struct MadLow64 : IDoubleOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Apply(L a, L b, L c) => (a * b) + c;
}

internal readonly struct And64 : IDoubleOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Apply(L a, L b, L c) => a & b;
}

internal readonly struct Or64 : IDoubleOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Apply(L a, L b, L c) => a | b;
}

internal readonly struct Xor64 : IDoubleOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Apply(L a, L b, L c) => a ^ b;
}

internal readonly struct Not64 : IDoubleOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Apply(L a, L b, L c) => ~a;
}

internal readonly struct LogicalNot64 : IDoubleOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Apply(L a, L b, L c) => Vector512.Equals(a, L.Zero) & L.One;
}

internal readonly struct Neg64 : IDoubleOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Apply(L a, L b, L c) => L.Zero - a;
}

internal readonly struct AbsSigned64 : IDoubleOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Apply(L a, L b, L c)
    {
        L sign = Vector512.LessThan(a.AsInt64(), Vector512<long>.Zero).AsUInt64();
        return (a ^ sign) - sign;
    }
}

internal readonly struct MinSigned64 : IDoubleOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Apply(L a, L b, L c) => Vector512.Min(a.AsInt64(), b.AsInt64()).AsUInt64();
}

internal readonly struct MaxSigned64 : IDoubleOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Apply(L a, L b, L c) => Vector512.Max(a.AsInt64(), b.AsInt64()).AsUInt64();
}

internal readonly struct MinUnsigned64 : IDoubleOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Apply(L a, L b, L c) => Vector512.Min(a, b);
}

internal readonly struct MaxUnsigned64 : IDoubleOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Apply(L a, L b, L c) => Vector512.Max(a, b);
}

internal readonly struct ShiftLeft64 : IDoubleOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Apply(L a, L b, L c) => LaneVectors.ShiftLeft(a, b);
}

internal readonly struct ShiftRightUnsigned64 : IDoubleOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Apply(L a, L b, L c) => LaneVectors.ShiftRight(a, b);
}

internal readonly struct ShiftRightSigned64 : IDoubleOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Apply(L a, L b, L c) => LaneVectors.ShiftRightSigned(a, b);
}

internal readonly struct EqualDouble : IDoubleComparison
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Test(L a, L b) => Vector512.Equals(a, b);
}

internal readonly struct NotEqualDouble : IDoubleComparison
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Test(L a, L b) => ~Vector512.Equals(a, b);
}

internal readonly struct LessUnsigned64 : IDoubleComparison
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Test(L a, L b) => Vector512.LessThan(a, b);
}

internal readonly struct LessOrEqualUnsigned64 : IDoubleComparison
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Test(L a, L b) => Vector512.LessThanOrEqual(a, b);
}

internal readonly struct LessSigned64 : IDoubleComparison
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Test(L a, L b) => Vector512.LessThan(a.AsInt64(), b.AsInt64()).AsUInt64();
}

internal readonly struct LessOrEqualSigned64 : IDoubleComparison
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Test(L a, L b) => Vector512.LessThanOrEqual(a.AsInt64(), b.AsInt64()).AsUInt64();
}
#pragma warning restore SA1649, SA1402
