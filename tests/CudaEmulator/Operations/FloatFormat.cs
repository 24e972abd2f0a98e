using System.Numerics;
using System.Runtime.CompilerServices;

namespace CoGrpo.CudaEmulator.Operations;

/// <summary>A binary floating-point format held in the low bits of a register.</summary>
internal interface IFloatFormat
{
    /// <summary>Bits of the significand, the hidden one included.</summary>
    static abstract int Precision { get; }

    static abstract int ExponentBits { get; }

    static abstract ulong QuietNaN { get; }

    /// <summary>The value, exactly.</summary>
    static abstract double ToDouble(ulong bits);

    /// <summary>The nearest value of the format, ties to even.</summary>
    static abstract ulong FromDouble(double value);
}

/// <summary>IEEE half precision.</summary>
internal readonly struct Float16 : IFloatFormat
{
    public static int Precision => 11;

    public static int ExponentBits => 5;

    public static ulong QuietNaN => 0x7FFF;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double ToDouble(ulong bits) => ToSingle((uint)bits);

    public static ulong FromDouble(double value) => double.IsNaN(value) ? QuietNaN : FromSingle(SingleRounding.ToOdd(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float ToSingle(uint half)
    {
        // The exponent is moved into place by a multiplication, which also normalises subnormal values.
        uint magnitude = half & 0x7FFF;
        uint bits =
            magnitude >= 0x7C00
                ? 0x7F800000 | ((magnitude & 0x3FF) << 13)
                : BitConverter.SingleToUInt32Bits(BitConverter.UInt32BitsToSingle(magnitude << 13) * 5.192296858534828e33f);
        return BitConverter.UInt32BitsToSingle(bits | ((half & 0x8000) << 16));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint FromSingle(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        uint sign = (bits >> 16) & 0x8000;
        bits &= 0x7FFFFFFF;
        if (bits >= 0x47800000)
        {
            return bits > 0x7F800000 ? 0x7FFF : sign | 0x7C00;
        }

        if (bits < 0x38800000)
        {
            // Subnormal: adding 1/2 moves the bits to the end of the significand, rounded by the addition.
            return sign | (BitConverter.SingleToUInt32Bits(BitConverter.UInt32BitsToSingle(bits) + 0.5f) - 0x3F000000);
        }

        return sign | ((bits - 0x38000000 + 0xFFF + ((bits >> 13) & 1)) >> 13);
    }
}

/// <summary>bfloat16: the upper half of an fp32.</summary>
internal readonly struct BFloat16 : IFloatFormat
{
    public static int Precision => 8;

    public static int ExponentBits => 8;

    public static ulong QuietNaN => 0x7FFF;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double ToDouble(ulong bits) => ToSingle((uint)bits);

    public static ulong FromDouble(double value) => double.IsNaN(value) ? QuietNaN : FromSingle(SingleRounding.ToOdd(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float ToSingle(uint bits) => BitConverter.UInt32BitsToSingle(bits << 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint FromSingle(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value) ? 0x7FFF : (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16;
    }
}

/// <summary>IEEE single precision.</summary>
internal readonly struct Float32 : IFloatFormat
{
    public static int Precision => 24;

    public static int ExponentBits => 8;

    public static ulong QuietNaN => 0x7FFFFFFF;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double ToDouble(ulong bits) => BitConverter.UInt32BitsToSingle((uint)bits);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong FromDouble(double value) => double.IsNaN(value) ? QuietNaN : BitConverter.SingleToUInt32Bits((float)value);
}

/// <summary>IEEE double precision.</summary>
internal readonly struct Float64 : IFloatFormat
{
    public static int Precision => 53;

    public static int ExponentBits => 11;

    public static ulong QuietNaN => 0xFFF8000000000000;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double ToDouble(ulong bits) => BitConverter.UInt64BitsToDouble(bits);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong FromDouble(double value) => BitConverter.DoubleToUInt64Bits(value);
}

/// <summary>From fp64 to fp32 in such a way that rounding to fewer bits afterwards is as if it were done at once.</summary>
internal static class SingleRounding
{
    /// <summary>The fp32 neighbour with an odd last bit, or the value itself where fp32 has it.</summary>
    public static float ToOdd(double value)
    {
        float nearest = (float)value;
        if (nearest == value || double.IsNaN(value) || float.IsInfinity(nearest))
        {
            return nearest;
        }

        uint bits = BitConverter.SingleToUInt32Bits(nearest);
        if ((bits & 1) != 0)
        {
            return nearest;
        }

        return Math.Abs((double)nearest) < Math.Abs(value) ? BitConverter.UInt32BitsToSingle(bits + 1) : BitConverter.UInt32BitsToSingle(bits - 1);
    }
}

/// <summary>Directions of rounding.</summary>
internal enum RoundingMode
{
    NearestEven,
    NearestAway,
    Zero,
    Down,
    Up,
}

/// <summary>A direction of rounding known when code is generated.</summary>
internal interface IRounding
{
    static abstract RoundingMode Mode { get; }
}

internal readonly struct ToNearest : IRounding
{
    public static RoundingMode Mode => RoundingMode.NearestEven;
}

internal readonly struct ToNearestAway : IRounding
{
    public static RoundingMode Mode => RoundingMode.NearestAway;
}

internal readonly struct ToZero : IRounding
{
    public static RoundingMode Mode => RoundingMode.Zero;
}

internal readonly struct ToMinusInfinity : IRounding
{
    public static RoundingMode Mode => RoundingMode.Down;
}

internal readonly struct ToPlusInfinity : IRounding
{
    public static RoundingMode Mode => RoundingMode.Up;
}
