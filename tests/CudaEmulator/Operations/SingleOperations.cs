using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using F = System.Runtime.Intrinsics.Vector512<float>;
using U = System.Runtime.Intrinsics.Vector512<uint>;

namespace CoGrpo.CudaEmulator.Operations;

// fp32 arithmetic: IEEE 754, round to nearest even, one NaN (0x7fffffff) for every result that is none.
#pragma warning disable SA1649, SA1402
internal static class Single
{
    public static U QuietNaN
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector512.Create(0x7FFFFFFFu);
    }

    /// <summary>The bits, with every NaN replaced by the one that devices produce.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Canonical(F x) => Vector512.ConditionalSelect(Vector512.Equals(x, x).AsUInt32(), x.AsUInt32(), QuietNaN);

    /// <summary>Subnormal values replaced by zero of their sign.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Flush(U x)
    {
        U tiny = Vector512.Equals(x & Vector512.Create(0x7F800000u), U.Zero);
        return Vector512.AndNot(x, tiny & Vector512.Create(0x7FFFFFFFu));
    }
}

/// <summary>Subnormal operands and results count as zero.</summary>
internal readonly struct Flushed<T> : IWordOperation
    where T : struct, IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c) => Single.Flush(T.Apply(Single.Flush(a), Single.Flush(b), Single.Flush(c)));
}

/// <summary>The result held to 0 … 1; NaN becomes 0.</summary>
internal readonly struct Saturated<T> : IWordOperation
    where T : struct, IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c)
    {
        F x = T.Apply(a, b, c).AsSingle();
        x = Vector512.ConditionalSelect(Vector512.GreaterThan(x, F.Zero), x, F.Zero);
        return Vector512.ConditionalSelect(Vector512.LessThan(x, F.One), x, F.One).AsUInt32();
    }
}

internal readonly struct AddSingle : IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c) => Single.Canonical(a.AsSingle() + b.AsSingle());
}

internal readonly struct SubSingle : IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c) => Single.Canonical(a.AsSingle() - b.AsSingle());
}

internal readonly struct MulSingle : IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c) => Single.Canonical(a.AsSingle() * b.AsSingle());
}

internal readonly struct FmaSingle : IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c) => Single.Canonical(Vector512.FusedMultiplyAdd(a.AsSingle(), b.AsSingle(), c.AsSingle()));
}

internal readonly struct DivSingle : IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c) => Single.Canonical(a.AsSingle() / b.AsSingle());
}

/// <summary>div.approx: divisors above 2^126 give 0, as the device's reciprocal flushes.</summary>
internal readonly struct DivApproximate : IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c)
    {
        U magnitude = b & Vector512.Create(0x7FFFFFFFu);
        U large = Vector512.GreaterThan(magnitude, Vector512.Create(0x7E800000u)) & Vector512.LessThan(magnitude, Vector512.Create(0x7F800000u));
        U finite = Vector512.LessThan(a & Vector512.Create(0x7FFFFFFFu), Vector512.Create(0x7F800000u));
        U infinite = Vector512.Equals(a & Vector512.Create(0x7FFFFFFFu), Vector512.Create(0x7F800000u));
        U quotient = DivSingle.Apply(a, b, c);
        quotient = Vector512.ConditionalSelect(large & infinite, Single.QuietNaN, quotient);
        return Vector512.ConditionalSelect(large & finite, (a ^ b) & Vector512.Create(0x80000000u), quotient);
    }
}

internal readonly struct RcpSingle : IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c) => Single.Canonical(F.One / a.AsSingle());
}

internal readonly struct SqrtSingle : IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c) => Single.Canonical(Vector512.Sqrt(a.AsSingle()));
}

internal readonly struct NegSingle : IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c) => a ^ Vector512.Create(0x80000000u);
}

internal readonly struct AbsSingle : IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c) => a & Vector512.Create(0x7FFFFFFFu);
}

/// <summary>The magnitude of B with the sign of A.</summary>
internal readonly struct CopySign : IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c) => (a & Vector512.Create(0x80000000u)) | (b & Vector512.Create(0x7FFFFFFFu));
}

/// <summary>The smaller; a number if only one is; -0 below +0.</summary>
internal readonly struct MinSingle : IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c)
    {
        F x = a.AsSingle();
        F y = b.AsSingle();
        U smaller = Vector512.ConditionalSelect(Vector512.LessThan(x, y).AsUInt32(), a, b);
        smaller = Vector512.ConditionalSelect(Vector512.Equals(x, y).AsUInt32(), a | b, smaller);
        return Single.Canonical(Vector512.ConditionalSelect(Vector512.Equals(y, y).AsUInt32(), smaller, a).AsSingle());
    }
}

internal readonly struct MaxSingle : IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c)
    {
        F x = a.AsSingle();
        F y = b.AsSingle();
        U larger = Vector512.ConditionalSelect(Vector512.GreaterThan(x, y).AsUInt32(), a, b);
        larger = Vector512.ConditionalSelect(Vector512.Equals(x, y).AsUInt32(), a & b, larger);
        return Single.Canonical(Vector512.ConditionalSelect(Vector512.Equals(y, y).AsUInt32(), larger, a).AsSingle());
    }
}

/// <summary>NaN if either operand is.</summary>
internal readonly struct NaNWins<T> : IWordOperation
    where T : struct, IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c)
    {
        U numbers = (Vector512.Equals(a.AsSingle(), a.AsSingle()) & Vector512.Equals(b.AsSingle(), b.AsSingle())).AsUInt32();
        return Vector512.ConditionalSelect(numbers, T.Apply(a, b, c), Single.QuietNaN);
    }
}

/// <summary>The operation on magnitudes, with the exclusive or of the operands' signs.</summary>
internal readonly struct XorSign<T> : IWordOperation
    where T : struct, IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c)
    {
        U magnitude = Vector512.Create(0x7FFFFFFFu);
        return (T.Apply(a & magnitude, b & magnitude, c) & magnitude) | Vector512.AndNot(a ^ b, magnitude);
    }
}

internal readonly struct RoundEven : IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c) => Single.Canonical(Vector512.Round(a.AsSingle()));
}

internal readonly struct RoundZero : IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c) => Single.Canonical(Vector512.Truncate(a.AsSingle()));
}

internal readonly struct RoundDown : IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c) => Single.Canonical(Vector512.Floor(a.AsSingle()));
}

internal readonly struct RoundUp : IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c) => Single.Canonical(Vector512.Ceiling(a.AsSingle()));
}

internal readonly struct EqualSingle : IWordComparison
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Test(U a, U b) => Vector512.Equals(a.AsSingle(), b.AsSingle()).AsUInt32();
}

internal readonly struct LessSingle : IWordComparison
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Test(U a, U b) => Vector512.LessThan(a.AsSingle(), b.AsSingle()).AsUInt32();
}

internal readonly struct LessOrEqualSingle : IWordComparison
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Test(U a, U b) => Vector512.LessThanOrEqual(a.AsSingle(), b.AsSingle()).AsUInt32();
}

/// <summary>Both are numbers.</summary>
internal readonly struct NumbersSingle : IWordComparison
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Test(U a, U b) => (Vector512.Equals(a.AsSingle(), a.AsSingle()) & Vector512.Equals(b.AsSingle(), b.AsSingle())).AsUInt32();
}

/// <summary>Different, and both numbers.</summary>
internal readonly struct NotEqualSingle : IWordComparison
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Test(U a, U b) => (Vector512.LessThan(a.AsSingle(), b.AsSingle()) | Vector512.GreaterThan(a.AsSingle(), b.AsSingle())).AsUInt32();
}

/// <summary>The comparison does not hold.</summary>
internal readonly struct Opposite<T> : IWordComparison
    where T : struct, IWordComparison
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Test(U a, U b) => ~T.Test(a, b);
}

internal readonly struct LessOrUnordered : IWordComparison
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Test(U a, U b) => ~Vector512.GreaterThanOrEqual(a.AsSingle(), b.AsSingle()).AsUInt32();
}

internal readonly struct LessOrEqualOrUnordered : IWordComparison
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Test(U a, U b) => ~Vector512.GreaterThan(a.AsSingle(), b.AsSingle()).AsUInt32();
}

/// <summary>The comparison with subnormal operands taken as zero.</summary>
internal readonly struct FlushedComparison<T> : IWordComparison
    where T : struct, IWordComparison
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Test(U a, U b) => T.Test(Single.Flush(a), Single.Flush(b));
}
#pragma warning restore SA1649, SA1402
