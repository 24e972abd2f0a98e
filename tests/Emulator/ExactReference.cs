using System.Numerics;

namespace CoGrpo.Tests.Emulator;

/// <summary>
/// Directed rounding by search: the exact value as a fraction, compared with candidates. Written without any of the emulator's arithmetic.
/// </summary>
internal static class ExactReference
{
    /// <summary>a · b + c in fp32.</summary>
    public static float Single(float a, float b, float c, string mode)
    {
        float nearest = MathF.FusedMultiplyAdd(a, b, c);
        if (!float.IsFinite(a) || !float.IsFinite(b) || !float.IsFinite(c))
        {
            return nearest;
        }

        BigFraction exact = (BigFraction.Of(a) * BigFraction.Of(b)) + BigFraction.Of(c);
        bool bothZeros = a * (double)b == 0 && c == 0;
        return exact.Sign == 0
            ? ZeroSum(bothZeros && float.IsNegative(a) != float.IsNegative(b) == float.IsNegative(c), float.IsNegative(c), mode)
            : Round(nearest, exact, mode);
    }

    public static float Product(float a, float b, string mode) =>
        !float.IsFinite(a) || !float.IsFinite(b) || a == 0 || b == 0 ? a * b : Round(a * b, BigFraction.Of(a) * BigFraction.Of(b), mode);

    public static float Quotient(float a, float b, string mode) =>
        !float.IsFinite(a) || !float.IsFinite(b) || a == 0 || b == 0 ? a / b : Round(a / b, BigFraction.Of(a) / BigFraction.Of(b), mode);

    /// <summary>The square root in fp32, by comparing squares.</summary>
    public static float Root(float a, string mode)
    {
        float nearest = MathF.Sqrt(a);
        if (!float.IsFinite(a) || a <= 0)
        {
            return nearest;
        }

        int side = (BigFraction.Of(nearest) * BigFraction.Of(nearest)).CompareTo(BigFraction.Of(a));
        return side > 0 && mode is "rz" or "rm" && side > 0 ? MathF.BitDecrement(nearest)
            : side < 0 && mode == "rp" ? MathF.BitIncrement(nearest)
            : nearest;
    }

    public static double RealSum(double a, double b, string mode)
    {
        if (!double.IsFinite(a) || !double.IsFinite(b))
        {
            return a + b;
        }

        BigFraction exact = BigFraction.Of(a) + BigFraction.Of(b);
        return exact.Sign == 0
            ? ZeroSum(a == 0 && b == 0 && double.IsNegative(a) == double.IsNegative(b), double.IsNegative(b), mode)
            : Round(a + b, exact, mode);
    }

    public static double RealProduct(double a, double b, string mode) =>
        !double.IsFinite(a) || !double.IsFinite(b) || a == 0 || b == 0 ? a * b : Round(a * b, BigFraction.Of(a) * BigFraction.Of(b), mode);

    /// <summary>
    /// a · b + c of fp16 or bf16 values as bits of that format, ties to even: the two neighbours are searched and the middle between them compared.
    /// </summary>
    public static ulong Narrow(double a, double b, double c, bool bfloat)
    {
        double rough = (a * b) + c;
        if (!double.IsFinite(rough))
        {
            return double.IsNaN(rough) ? 0x7FFFUL : (rough < 0 ? 0x8000UL : 0) | (bfloat ? 0x7F80UL : 0x7C00UL);
        }

        BigFraction exact = (BigFraction.Of(a) * BigFraction.Of(b)) + BigFraction.Of(c);
        if (exact.Sign == 0)
        {
            // The product of two short numbers has no error in fp64, so the sign of this zero is right.
            return double.IsNegative(rough) ? 0x8000UL : 0;
        }

        // Counting on beyond the largest finite value gives the next power of two: where infinity begins to be nearer is half-way there.
        BigFraction Value(ulong bits)
        {
            int fraction = bfloat ? 7 : 10;
            int exponent = (int)(bits >> fraction);
            double significand = (bits & ((1UL << fraction) - 1)) + (exponent == 0 ? 0 : 1UL << fraction);
            return BigFraction.Of(significand * Math.Pow(2, Math.Max(exponent, 1) - (bfloat ? 127 : 15) - fraction));
        }

        BigFraction size = exact.Sign < 0 ? exact * BigFraction.Of(-1) : exact;
        ulong low = 0;
        ulong high = bfloat ? 0x7F80UL : 0x7C00UL;
        while (high - low > 1)
        {
            ulong middle = (low + high) / 2;
            (low, high) = Value(middle).CompareTo(size) <= 0 ? (middle, high) : (low, middle);
        }

        int side = ((Value(low) + Value(high)) * BigFraction.Of(0.5)).CompareTo(size);
        return (exact.Sign < 0 ? 0x8000UL : 0) | (side < 0 || (side == 0 && (low & 1) != 0) ? high : low);
    }

    private static float ZeroSum(bool sameSign, bool negative, string mode) => (sameSign ? negative : mode == "rm") ? -0f : 0f;

    private static float Round(float nearest, BigFraction exact, string mode)
    {
        bool up = mode == "rp" || (mode == "rz" && exact.Sign < 0);
        float x = float.IsPositiveInfinity(nearest) ? float.MaxValue : float.IsNegativeInfinity(nearest) ? float.MinValue : nearest;
        int side = BigFraction.Of(x).CompareTo(exact);
        float result = up ? (side < 0 ? MathF.BitIncrement(x) : x) : side > 0 ? MathF.BitDecrement(x) : x;
        return result == 0 ? MathF.CopySign(0, exact.Sign) : result;
    }

    private static double Round(double nearest, BigFraction exact, string mode)
    {
        bool up = mode == "rp" || (mode == "rz" && exact.Sign < 0);
        double x = double.IsPositiveInfinity(nearest) ? double.MaxValue : double.IsNegativeInfinity(nearest) ? double.MinValue : nearest;
        int side = BigFraction.Of(x).CompareTo(exact);
        double result = up ? (side < 0 ? Math.BitIncrement(x) : x) : side > 0 ? Math.BitDecrement(x) : x;
        return result == 0 ? Math.CopySign(0, exact.Sign) : result;
    }

    /// <summary>A fraction of whole numbers.</summary>
    private readonly record struct BigFraction(BigInteger Above, BigInteger Below)
    {
        public int Sign => Above.Sign * Below.Sign;

        public static BigFraction Of(double value)
        {
            // Scaled by a power of two beyond which fp64 has no bits.
            ulong bits = BitConverter.DoubleToUInt64Bits(Math.Abs(value));
            int exponent = Math.Max((int)(bits >> 52), 1) - 1;
            BigInteger mantissa = (bits >> 52 == 0 ? 0 : 1UL << 52) + (bits & ((1UL << 52) - 1));
            return new BigFraction((value < 0 ? -mantissa : mantissa) << exponent, BigInteger.One << 1074);
        }

        public static BigFraction operator *(BigFraction a, BigFraction b) => new(a.Above * b.Above, a.Below * b.Below);

        public static BigFraction operator /(BigFraction a, BigFraction b) => new(a.Above * b.Below, a.Below * b.Above);

        public static BigFraction operator +(BigFraction a, BigFraction b) => new((a.Above * b.Below) + (b.Above * a.Below), a.Below * b.Below);

        public int CompareTo(BigFraction other) =>
            (Above * other.Below * Below.Sign * other.Below.Sign).CompareTo(other.Above * Below * Below.Sign * other.Below.Sign);
    }
}
