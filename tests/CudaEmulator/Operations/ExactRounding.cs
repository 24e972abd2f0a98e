using System.Numerics;

namespace CoGrpo.CudaEmulator.Operations;

/// <summary>
/// Arithmetic on exact numbers with one rounding at the end, in any format and direction: slow, for what the processor does not offer.
/// </summary>
internal static class ExactRounding
{
    /// <summary>a · b + c.</summary>
    public static ulong Fma<TFormat>(ulong a, ulong b, ulong c, RoundingMode mode)
        where TFormat : struct, IFloatFormat
    {
        (double x, double y, double z) = (TFormat.ToDouble(a), TFormat.ToDouble(b), TFormat.ToDouble(c));
        if (!double.IsFinite(x) || !double.IsFinite(y) || !double.IsFinite(z))
        {
            return TFormat.FromDouble(Math.FusedMultiplyAdd(x, y, z));
        }

        (BigInteger mx, int ex) = Parts(x);
        (BigInteger my, int ey) = Parts(y);
        (BigInteger mz, int ez) = Parts(z);
        BigInteger product = mx * my;
        int exponent = Math.Min(ex + ey, ez);
        BigInteger sum = (product << (ex + ey - exponent)) + (mz << (ez - exponent));
        if (sum.IsZero)
        {
            bool productNegative = double.IsNegative(x) != double.IsNegative(y);
            return Zero<TFormat>(productNegative == double.IsNegative(z) ? productNegative : mode == RoundingMode.Down);
        }

        return Round<TFormat>(sum.Sign < 0, BigInteger.Abs(sum), exponent, false, mode);
    }

    /// <summary>a + b.</summary>
    public static ulong Add<TFormat>(ulong a, ulong b, RoundingMode mode)
        where TFormat : struct, IFloatFormat => Fma<TFormat>(a, TFormat.FromDouble(1), b, mode);

    /// <summary>a · b.</summary>
    public static ulong Mul<TFormat>(ulong a, ulong b, RoundingMode mode)
        where TFormat : struct, IFloatFormat
    {
        (double x, double y) = (TFormat.ToDouble(a), TFormat.ToDouble(b));
        if (!double.IsFinite(x) || !double.IsFinite(y) || x == 0 || y == 0)
        {
            return TFormat.FromDouble(x * y);
        }

        (BigInteger mx, int ex) = Parts(x);
        (BigInteger my, int ey) = Parts(y);
        BigInteger product = mx * my;
        return Round<TFormat>(product.Sign < 0, BigInteger.Abs(product), ex + ey, false, mode);
    }

    /// <summary>a / b.</summary>
    public static ulong Div<TFormat>(ulong a, ulong b, RoundingMode mode)
        where TFormat : struct, IFloatFormat
    {
        (double x, double y) = (TFormat.ToDouble(a), TFormat.ToDouble(b));
        if (!double.IsFinite(x) || !double.IsFinite(y) || x == 0 || y == 0)
        {
            return TFormat.FromDouble(x / y);
        }

        (BigInteger mx, int ex) = Parts(x);
        (BigInteger my, int ey) = Parts(y);
        const int Extra = 128;
        BigInteger quotient = BigInteger.DivRem(BigInteger.Abs(mx) << Extra, BigInteger.Abs(my), out BigInteger rest);
        return Round<TFormat>(mx.Sign != my.Sign, quotient, ex - ey - Extra, !rest.IsZero, mode);
    }

    /// <summary>The square root.</summary>
    public static ulong Sqrt<TFormat>(ulong a, RoundingMode mode)
        where TFormat : struct, IFloatFormat
    {
        double x = TFormat.ToDouble(a);
        if (!double.IsFinite(x) || x <= 0)
        {
            return TFormat.FromDouble(Math.Sqrt(x));
        }

        (BigInteger m, int e) = Parts(x);
        int shift = 200 + (e & 1);
        m <<= shift;
        e -= shift;
        BigInteger root = Root(m);
        return Round<TFormat>(false, root, e / 2, root * root != m, mode);
    }

    /// <summary>An integer.</summary>
    public static ulong FromInteger<TFormat>(Int128 value, RoundingMode mode)
        where TFormat : struct, IFloatFormat =>
        value == 0 ? 0 : Round<TFormat>(value < 0, BigInteger.Abs(value), 0, false, mode);

    /// <summary>A value of another format.</summary>
    public static ulong Convert<TFormat>(double value, RoundingMode mode)
        where TFormat : struct, IFloatFormat
    {
        if (!double.IsFinite(value) || value == 0)
        {
            return double.IsNaN(value) ? TFormat.QuietNaN : TFormat.FromDouble(value);
        }

        (BigInteger m, int e) = Parts(value);
        return Round<TFormat>(m.Sign < 0, BigInteger.Abs(m), e, false, mode);
    }

    /// <summary>Bits of ± mantissa · 2^exponent (a little more where <paramref name="sticky"/>) rounded to a format.</summary>
    private static ulong Round<TFormat>(bool negative, BigInteger mantissa, int exponent, bool sticky, RoundingMode mode)
        where TFormat : struct, IFloatFormat
    {
        int precision = TFormat.Precision;
        int bias = (1 << (TFormat.ExponentBits - 1)) - 1;
        int smallest = 2 - bias - precision;

        // Cut to the precision, or to the last bit of a subnormal value.
        int cut = Math.Max((int)mantissa.GetBitLength() - precision, smallest - exponent);
        BigInteger kept;
        if (cut > 0)
        {
            kept = mantissa >> cut;
            BigInteger rest = mantissa - (kept << cut);
            BigInteger half = BigInteger.One << (cut - 1);
            int side = rest.CompareTo(half);
            bool inexact = sticky || !rest.IsZero;
            bool up = mode switch
            {
                RoundingMode.NearestEven => side > 0 || (side == 0 && (sticky || !kept.IsEven)),
                RoundingMode.NearestAway => side >= 0,
                RoundingMode.Down => negative && inexact,
                RoundingMode.Up => !negative && inexact,
                _ => false,
            };
            kept += up ? 1 : 0;
            exponent += cut;
        }
        else
        {
            // All bits fit; what is below them decides only where rounding is directed.
            kept = mantissa << -cut;
            exponent += cut;
            kept += sticky && ((mode == RoundingMode.Down && negative) || (mode == RoundingMode.Up && !negative)) ? 1 : 0;
        }

        if ((int)kept.GetBitLength() > precision)
        {
            kept >>= 1;
            exponent++;
        }

        ulong sign = negative ? 1UL << (TFormat.ExponentBits + precision - 1) : 0;
        ulong bits = (ulong)kept;
        if ((bits >> (precision - 1)) == 0)
        {
            return sign | bits;
        }

        int field = exponent + precision - 1 + bias;
        ulong infinity = ((1UL << TFormat.ExponentBits) - 1) << (precision - 1);
        if (field >= (1 << TFormat.ExponentBits) - 1)
        {
            bool overflows =
                mode is RoundingMode.NearestEven or RoundingMode.NearestAway
                || (mode == RoundingMode.Down && negative)
                || (mode == RoundingMode.Up && !negative);
            return sign | (overflows ? infinity : infinity - 1);
        }

        return sign | ((ulong)field << (precision - 1)) | (bits & ((1UL << (precision - 1)) - 1));
    }

    private static ulong Zero<TFormat>(bool negative)
        where TFormat : struct, IFloatFormat => negative ? 1UL << (TFormat.ExponentBits + TFormat.Precision - 1) : 0;

    private static (BigInteger Mantissa, int Exponent) Parts(double value)
    {
        ulong bits = BitConverter.DoubleToUInt64Bits(value);
        int field = (int)(bits >> 52) & 0x7FF;
        ulong fraction = bits & 0xFFFFFFFFFFFFF;
        BigInteger mantissa = field == 0 ? fraction : fraction | (1UL << 52);
        return (value < 0 ? -mantissa : mantissa, Math.Max(field, 1) - 1075);
    }

    private static BigInteger Root(BigInteger square)
    {
        BigInteger guess = BigInteger.One << (((int)square.GetBitLength() + 1) / 2);
        while (true)
        {
            BigInteger next = (guess + (square / guess)) >> 1;
            if (next >= guess)
            {
                return guess;
            }

            guess = next;
        }
    }
}
