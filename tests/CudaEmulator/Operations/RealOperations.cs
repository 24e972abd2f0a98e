using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using D = System.Runtime.Intrinsics.Vector512<double>;
using L = System.Runtime.Intrinsics.Vector512<ulong>;

namespace CoGrpo.CudaEmulator.Operations;

// fp64 arithmetic: IEEE 754, round to nearest even.
#pragma warning disable SA1649, SA1402
internal readonly struct AddReal : IDoubleOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Apply(L a, L b, L c) => (a.AsDouble() + b.AsDouble()).AsUInt64();
}

internal readonly struct SubReal : IDoubleOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Apply(L a, L b, L c) => (a.AsDouble() - b.AsDouble()).AsUInt64();
}

internal readonly struct MulReal : IDoubleOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Apply(L a, L b, L c) => (a.AsDouble() * b.AsDouble()).AsUInt64();
}

internal readonly struct FmaReal : IDoubleOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Apply(L a, L b, L c) => Vector512.FusedMultiplyAdd(a.AsDouble(), b.AsDouble(), c.AsDouble()).AsUInt64();
}

internal readonly struct DivReal : IDoubleOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Apply(L a, L b, L c) => (a.AsDouble() / b.AsDouble()).AsUInt64();
}

internal readonly struct RcpReal : IDoubleOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Apply(L a, L b, L c) => (D.One / a.AsDouble()).AsUInt64();
}

internal readonly struct SqrtReal : IDoubleOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Apply(L a, L b, L c) => Vector512.Sqrt(a.AsDouble()).AsUInt64();
}

internal readonly struct RootReciprocalReal : IDoubleOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Apply(L a, L b, L c) => (D.One / Vector512.Sqrt(a.AsDouble())).AsUInt64();
}

internal readonly struct NegReal : IDoubleOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Apply(L a, L b, L c) => a ^ Vector512.Create(0x8000000000000000);
}

internal readonly struct AbsReal : IDoubleOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Apply(L a, L b, L c) => a & Vector512.Create(0x7FFFFFFFFFFFFFFFUL);
}

internal readonly struct CopySignReal : IDoubleOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Apply(L a, L b, L c) => (a & Vector512.Create(0x8000000000000000)) | (b & Vector512.Create(0x7FFFFFFFFFFFFFFFUL));
}

internal readonly struct MinReal : IDoubleOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Apply(L a, L b, L c)
    {
        D x = a.AsDouble();
        D y = b.AsDouble();
        L smaller = Vector512.ConditionalSelect(Vector512.LessThan(x, y).AsUInt64(), a, b);
        smaller = Vector512.ConditionalSelect(Vector512.Equals(x, y).AsUInt64(), a | b, smaller);
        return Vector512.ConditionalSelect(Vector512.Equals(y, y).AsUInt64(), smaller, a);
    }
}

internal readonly struct MaxReal : IDoubleOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Apply(L a, L b, L c)
    {
        D x = a.AsDouble();
        D y = b.AsDouble();
        L larger = Vector512.ConditionalSelect(Vector512.GreaterThan(x, y).AsUInt64(), a, b);
        larger = Vector512.ConditionalSelect(Vector512.Equals(x, y).AsUInt64(), a & b, larger);
        return Vector512.ConditionalSelect(Vector512.Equals(y, y).AsUInt64(), larger, a);
    }
}

internal readonly struct RoundEvenReal : IDoubleOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Apply(L a, L b, L c) => Vector512.Round(a.AsDouble()).AsUInt64();
}

internal readonly struct RoundZeroReal : IDoubleOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Apply(L a, L b, L c) => Vector512.Truncate(a.AsDouble()).AsUInt64();
}

internal readonly struct RoundDownReal : IDoubleOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Apply(L a, L b, L c) => Vector512.Floor(a.AsDouble()).AsUInt64();
}

internal readonly struct RoundUpReal : IDoubleOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Apply(L a, L b, L c) => Vector512.Ceiling(a.AsDouble()).AsUInt64();
}

internal readonly struct SaturatedReal<T> : IDoubleOperation
    where T : struct, IDoubleOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Apply(L a, L b, L c)
    {
        D x = T.Apply(a, b, c).AsDouble();
        x = Vector512.ConditionalSelect(Vector512.GreaterThan(x, D.Zero), x, D.Zero);
        return Vector512.ConditionalSelect(Vector512.LessThan(x, D.One), x, D.One).AsUInt64();
    }
}

internal readonly struct EqualReal : IDoubleComparison
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Test(L a, L b) => Vector512.Equals(a.AsDouble(), b.AsDouble()).AsUInt64();
}

internal readonly struct LessReal : IDoubleComparison
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Test(L a, L b) => Vector512.LessThan(a.AsDouble(), b.AsDouble()).AsUInt64();
}

internal readonly struct LessOrEqualReal : IDoubleComparison
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Test(L a, L b) => Vector512.LessThanOrEqual(a.AsDouble(), b.AsDouble()).AsUInt64();
}

internal readonly struct NumbersReal : IDoubleComparison
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Test(L a, L b) => (Vector512.Equals(a.AsDouble(), a.AsDouble()) & Vector512.Equals(b.AsDouble(), b.AsDouble())).AsUInt64();
}

internal readonly struct NotEqualReal : IDoubleComparison
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Test(L a, L b) => (Vector512.LessThan(a.AsDouble(), b.AsDouble()) | Vector512.GreaterThan(a.AsDouble(), b.AsDouble())).AsUInt64();
}

internal readonly struct LessOrUnorderedReal : IDoubleComparison
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Test(L a, L b) => ~Vector512.GreaterThanOrEqual(a.AsDouble(), b.AsDouble()).AsUInt64();
}

internal readonly struct LessOrEqualOrUnorderedReal : IDoubleComparison
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Test(L a, L b) => ~Vector512.GreaterThan(a.AsDouble(), b.AsDouble()).AsUInt64();
}

internal readonly struct OppositeReal<T> : IDoubleComparison
    where T : struct, IDoubleComparison
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Test(L a, L b) => ~T.Test(a, b);
}
#pragma warning restore SA1649, SA1402
