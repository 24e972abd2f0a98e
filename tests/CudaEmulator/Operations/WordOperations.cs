using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using CoGrpo.CudaEmulator.Execution;
using U = System.Runtime.Intrinsics.Vector512<uint>;

namespace CoGrpo.CudaEmulator.Operations;

// Integer operations on 32-bit lanes, named as in PTX.
#pragma warning disable SA1649, SA1402
internal readonly struct Copy : IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c) => a;
}

internal readonly struct Add : IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c) => a + b;
}

internal readonly struct Sub : IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c) => a - b;
}

internal readonly struct MulLow : IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c) => a * b;
}

internal readonly struct MadLow : IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c) => (a * b) + c;
}

internal readonly struct MulHighUnsigned : IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c)
    {
        Vector512<ulong> low = Vector512.Create(0xFFFFFFFFUL);
        Vector512<ulong> even = (a.AsUInt64() & low) * (b.AsUInt64() & low);
        Vector512<ulong> odd = (a.AsUInt64() >> 32) * (b.AsUInt64() >> 32);
        return ((even >> 32) | Vector512.AndNot(odd, low)).AsUInt32();
    }
}

internal readonly struct MulHighSigned : IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c)
    {
        U high = MulHighUnsigned.Apply(a, b, c);
        return high - ((a.AsInt32() >> 31).AsUInt32() & b) - ((b.AsInt32() >> 31).AsUInt32() & a);
    }
}

internal readonly struct MadHighUnsigned : IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c) => MulHighUnsigned.Apply(a, b, c) + c;
}

internal readonly struct MadHighSigned : IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c) => MulHighSigned.Apply(a, b, c) + c;
}

internal readonly struct And : IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c) => a & b;
}

internal readonly struct Or : IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c) => a | b;
}

internal readonly struct Xor : IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c) => a ^ b;
}

internal readonly struct Not : IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c) => ~a;
}

/// <summary>1 where the operand is 0.</summary>
internal readonly struct LogicalNot : IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c) => Vector512.Equals(a, U.Zero) & U.One;
}

internal readonly struct Neg : IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c) => U.Zero - a;
}

internal readonly struct AbsSigned : IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c)
    {
        U sign = (a.AsInt32() >> 31).AsUInt32();
        return (a ^ sign) - sign;
    }
}

internal readonly struct MinSigned : IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c) => Vector512.Min(a.AsInt32(), b.AsInt32()).AsUInt32();
}

internal readonly struct MaxSigned : IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c) => Vector512.Max(a.AsInt32(), b.AsInt32()).AsUInt32();
}

internal readonly struct MinUnsigned : IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c) => Vector512.Min(a, b);
}

internal readonly struct MaxUnsigned : IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c) => Vector512.Max(a, b);
}

internal readonly struct ShiftLeft : IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c) => LaneVectors.ShiftLeft(a, b);
}

internal readonly struct ShiftRightUnsigned : IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c) => LaneVectors.ShiftRight(a, b);
}

internal readonly struct ShiftRightSigned : IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c) => LaneVectors.ShiftRightSigned(a, b);
}

/// <summary>16-bit operands sign-extended, the result cut to 16 bits.</summary>
internal readonly struct Signed16<T> : IWordOperation
    where T : struct, IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c) => T.Apply(Extend(a), Extend(b), Extend(c)) & Vector512.Create(0xFFFFu);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Extend(U a) => ((a << 16).AsInt32() >> 16).AsUInt32();
}

/// <summary>16-bit operands, the result cut to 16 bits.</summary>
internal readonly struct Unsigned16<T> : IWordOperation
    where T : struct, IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c) => T.Apply(a, b, c) & Vector512.Create(0xFFFFu);
}

/// <summary>A signed 16-bit value shifted by a count that is not sign-extended.</summary>
internal readonly struct ShiftRightSigned16 : IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c) => LaneVectors.ShiftRightSigned(Signed16<Copy>.Extend(a), b) & Vector512.Create(0xFFFFu);
}

/// <summary>The upper 16 bits of a 16-bit product.</summary>
internal readonly struct MulHigh16<T> : IWordOperation
    where T : struct, IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c) => ((T.Apply(a, default, default) * T.Apply(b, default, default)) >> 16) & Vector512.Create(0xFFFFu);
}

/// <summary>A signed 16-bit value extended to 32 bits.</summary>
internal readonly struct SignExtend16 : IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c) => Signed16<Copy>.Extend(a);
}

/// <summary>A signed 8-bit value extended to 32 bits.</summary>
internal readonly struct SignExtend8 : IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c) => ((a << 24).AsInt32() >> 24).AsUInt32();
}

/// <summary>The low 16 bits.</summary>
internal readonly struct ZeroExtend16 : IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c) => a & Vector512.Create(0xFFFFu);
}

/// <summary>The low 8 bits.</summary>
internal readonly struct ZeroExtend8 : IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c) => a & Vector512.Create(0xFFu);
}

/// <summary>A product of 16-bit values in 32 bits.</summary>
internal readonly struct MulWide16<T> : IWordOperation
    where T : struct, IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c) => (T.Apply(a, default, default) * T.Apply(b, default, default)) + c;
}

internal readonly struct EqualWord : IWordComparison
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Test(U a, U b) => Vector512.Equals(a, b);
}

internal readonly struct NotEqualWord : IWordComparison
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Test(U a, U b) => ~Vector512.Equals(a, b);
}

internal readonly struct LessUnsigned : IWordComparison
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Test(U a, U b) => Vector512.LessThan(a, b);
}

internal readonly struct LessOrEqualUnsigned : IWordComparison
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Test(U a, U b) => Vector512.LessThanOrEqual(a, b);
}

internal readonly struct LessSigned : IWordComparison
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Test(U a, U b) => Vector512.LessThan(a.AsInt32(), b.AsInt32()).AsUInt32();
}

internal readonly struct LessOrEqualSigned : IWordComparison
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Test(U a, U b) => Vector512.LessThanOrEqual(a.AsInt32(), b.AsInt32()).AsUInt32();
}

/// <summary>A comparison of signed 16-bit values.</summary>
internal readonly struct Signed16Comparison<T> : IWordComparison
    where T : struct, IWordComparison
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Test(U a, U b) => T.Test(Signed16<Copy>.Extend(a), Signed16<Copy>.Extend(b));
}
#pragma warning restore SA1649, SA1402
