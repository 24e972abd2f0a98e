using System.Runtime.CompilerServices;

namespace CoGrpo.CudaEmulator.Operations;

// Floating-point operations that go lane by lane.
#pragma warning disable SA1649, SA1402
internal readonly struct AddExact<TFormat, TRounding> : ILaneOperation
    where TFormat : struct, IFloatFormat
    where TRounding : struct, IRounding
{
    public static ulong Apply(ulong a, ulong b, ulong c) => ExactRounding.Add<TFormat>(a, b, TRounding.Mode);
}

internal readonly struct SubExact<TFormat, TRounding> : ILaneOperation
    where TFormat : struct, IFloatFormat
    where TRounding : struct, IRounding
{
    public static ulong Apply(ulong a, ulong b, ulong c) =>
        ExactRounding.Add<TFormat>(a, b ^ (1UL << (TFormat.ExponentBits + TFormat.Precision - 1)), TRounding.Mode);
}

internal readonly struct MulExact<TFormat, TRounding> : ILaneOperation
    where TFormat : struct, IFloatFormat
    where TRounding : struct, IRounding
{
    public static ulong Apply(ulong a, ulong b, ulong c) => ExactRounding.Mul<TFormat>(a, b, TRounding.Mode);
}

internal readonly struct FmaExact<TFormat, TRounding> : ILaneOperation
    where TFormat : struct, IFloatFormat
    where TRounding : struct, IRounding
{
    public static ulong Apply(ulong a, ulong b, ulong c) => ExactRounding.Fma<TFormat>(a, b, c, TRounding.Mode);
}

internal readonly struct DivExact<TFormat, TRounding> : ILaneOperation
    where TFormat : struct, IFloatFormat
    where TRounding : struct, IRounding
{
    public static ulong Apply(ulong a, ulong b, ulong c) => ExactRounding.Div<TFormat>(a, b, TRounding.Mode);
}

internal readonly struct RcpExact<TFormat, TRounding> : ILaneOperation
    where TFormat : struct, IFloatFormat
    where TRounding : struct, IRounding
{
    public static ulong Apply(ulong a, ulong b, ulong c) => ExactRounding.Div<TFormat>(TFormat.FromDouble(1), a, TRounding.Mode);
}

internal readonly struct SqrtExact<TFormat, TRounding> : ILaneOperation
    where TFormat : struct, IFloatFormat
    where TRounding : struct, IRounding
{
    public static ulong Apply(ulong a, ulong b, ulong c) => ExactRounding.Sqrt<TFormat>(a, TRounding.Mode);
}

/// <summary>An fp32 operation whose subnormal operands and results count as zero.</summary>
internal readonly struct FlushedLane<T> : ILaneOperation
    where T : struct, ILaneOperation
{
    public static ulong Apply(ulong a, ulong b, ulong c) => Flush(T.Apply(Flush(a), Flush(b), Flush(c)));

    private static ulong Flush(ulong x) => (x & 0x7F800000) == 0 ? x & 0x80000000 : x;
}

/// <summary>An fp32 result held to 0 … 1.</summary>
internal readonly struct SaturatedLane<T> : ILaneOperation
    where T : struct, ILaneOperation
{
    public static ulong Apply(ulong a, ulong b, ulong c)
    {
        float x = BitConverter.UInt32BitsToSingle((uint)T.Apply(a, b, c));
        return BitConverter.SingleToUInt32Bits(x > 0 ? Math.Min(x, 1f) : 0f);
    }
}

/// <summary>A 16-bit sum: fp32 has room enough for one rounding to count.</summary>
internal readonly struct AddHalf<TFormat> : ILaneOperation
    where TFormat : struct, IFloatFormat
{
    public static ulong Apply(ulong a, ulong b, ulong c) => TFormat.FromDouble(TFormat.ToDouble(a) + TFormat.ToDouble(b));
}

internal readonly struct SubHalf<TFormat> : ILaneOperation
    where TFormat : struct, IFloatFormat
{
    public static ulong Apply(ulong a, ulong b, ulong c) => TFormat.FromDouble(TFormat.ToDouble(a) - TFormat.ToDouble(b));
}

internal readonly struct MulHalf<TFormat> : ILaneOperation
    where TFormat : struct, IFloatFormat
{
    public static ulong Apply(ulong a, ulong b, ulong c) => TFormat.FromDouble(TFormat.ToDouble(a) * TFormat.ToDouble(b));
}

/// <summary>A 16-bit multiply-add with one rounding.</summary>
internal readonly struct FmaHalf<TFormat> : ILaneOperation
    where TFormat : struct, IFloatFormat
{
    public static ulong Apply(ulong a, ulong b, ulong c)
    {
        double product = TFormat.ToDouble(a) * TFormat.ToDouble(b);
        double addend = TFormat.ToDouble(c);
        double sum = product + addend;
        double rest = sum - product;
        double error = (product - (sum - rest)) + (addend - rest);
        if (error != 0 && double.IsFinite(sum))
        {
            // What fp64 lost must tip the balance: an odd last bit does.
            ulong bits = BitConverter.DoubleToUInt64Bits(sum);
            if ((bits & 1) == 0)
            {
                bits = (error > 0) == (sum > 0) ? bits + 1 : bits - 1;
            }

            sum = BitConverter.UInt64BitsToDouble(bits);
        }

        return TFormat.FromDouble(sum);
    }
}

internal readonly struct MinHalf<TFormat> : ILaneOperation
    where TFormat : struct, IFloatFormat
{
    public static ulong Apply(ulong a, ulong b, ulong c)
    {
        (double x, double y) = (TFormat.ToDouble(a), TFormat.ToDouble(b));
        return double.IsNaN(x) ? (double.IsNaN(y) ? TFormat.QuietNaN : b) : double.IsNaN(y) ? a : x < y ? a : y < x ? b : a | b;
    }
}

internal readonly struct MaxHalf<TFormat> : ILaneOperation
    where TFormat : struct, IFloatFormat
{
    public static ulong Apply(ulong a, ulong b, ulong c)
    {
        (double x, double y) = (TFormat.ToDouble(a), TFormat.ToDouble(b));
        return double.IsNaN(x) ? (double.IsNaN(y) ? TFormat.QuietNaN : b) : double.IsNaN(y) ? a : x > y ? a : y > x ? b : a & b;
    }
}

/// <summary>NaN if either operand is.</summary>
internal readonly struct NaNWinsHalf<T, TFormat> : ILaneOperation
    where T : struct, ILaneOperation
    where TFormat : struct, IFloatFormat
{
    public static ulong Apply(ulong a, ulong b, ulong c) =>
        double.IsNaN(TFormat.ToDouble(a)) || double.IsNaN(TFormat.ToDouble(b)) ? TFormat.QuietNaN : T.Apply(a, b, c);
}

internal readonly struct NegHalf : ILaneOperation
{
    public static ulong Apply(ulong a, ulong b, ulong c) => a ^ 0x8000;
}

internal readonly struct AbsHalf : ILaneOperation
{
    public static ulong Apply(ulong a, ulong b, ulong c) => a & 0x7FFF;
}

internal readonly struct Exp2Half<TFormat> : ILaneOperation
    where TFormat : struct, IFloatFormat
{
    public static ulong Apply(ulong a, ulong b, ulong c) => TFormat.FromDouble(Math.Pow(2, TFormat.ToDouble(a)));
}

internal readonly struct TanhHalf<TFormat> : ILaneOperation
    where TFormat : struct, IFloatFormat
{
    public static ulong Apply(ulong a, ulong b, ulong c) => TFormat.FromDouble(Math.Tanh(TFormat.ToDouble(a)));
}

/// <summary>A 16-bit operation whose subnormal operands and results count as zero.</summary>
internal readonly struct FlushedHalf<T, TFormat> : ILaneOperation
    where T : struct, ILaneOperation
    where TFormat : struct, IFloatFormat
{
    public static ulong Apply(ulong a, ulong b, ulong c) => Flush(T.Apply(Flush(a), Flush(b), Flush(c)));

    private static ulong Flush(ulong x) => (x & 0x7FFF) >> (TFormat.Precision - 1) == 0 ? x & 0x8000 : x;
}

/// <summary>The operation on both halves.</summary>
internal readonly struct Packed<T> : ILaneOperation
    where T : struct, ILaneOperation
{
    public static ulong Apply(ulong a, ulong b, ulong c) =>
        (T.Apply(a & 0xFFFF, b & 0xFFFF, c & 0xFFFF) & 0xFFFF) | ((T.Apply(a >> 16, b >> 16, c >> 16) & 0xFFFF) << 16);
}

/// <summary>Comparison of 16-bit or other floats: unordered ones hold where either is NaN.</summary>
internal readonly struct CompareFloats<TFormat, TRelation, TUnordered> : ILaneTest
    where TFormat : struct, IFloatFormat
    where TRelation : struct, IRelation
    where TUnordered : struct, IFlag
{
    public static bool Test(ulong a, ulong b)
    {
        (double x, double y) = (TFormat.ToDouble(a), TFormat.ToDouble(b));
        return double.IsNaN(x) || double.IsNaN(y) ? TUnordered.Value : TRelation.Holds(x, y);
    }
}

/// <summary>A relation of two numbers.</summary>
internal interface IRelation
{
    static abstract bool Holds(double x, double y);
}

internal readonly struct IsEqual : IRelation
{
    public static bool Holds(double x, double y) => x == y;
}

internal readonly struct IsNotEqual : IRelation
{
    public static bool Holds(double x, double y) => x != y;
}

internal readonly struct IsLess : IRelation
{
    public static bool Holds(double x, double y) => x < y;
}

internal readonly struct IsLessOrEqual : IRelation
{
    public static bool Holds(double x, double y) => x <= y;
}

/// <summary>Any two numbers.</summary>
internal readonly struct IsAny : IRelation
{
    public static bool Holds(double x, double y) => true;
}

/// <summary>No two numbers.</summary>
internal readonly struct IsNone : IRelation
{
    public static bool Holds(double x, double y) => false;
}
#pragma warning restore SA1649, SA1402
