using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using CoGrpo.CudaEmulator.Compilation;
using CoGrpo.CudaEmulator.Execution;
using F = System.Runtime.Intrinsics.Vector512<float>;
using U = System.Runtime.Intrinsics.Vector512<uint>;

namespace CoGrpo.CudaEmulator.Operations;

// Conversions between integers, between floats, and from one to the other.
#pragma warning disable SA1649, SA1402

/// <summary>An integer type.</summary>
internal interface IIntegerType
{
    static abstract Int128 Value(ulong bits);

    static abstract Int128 Least { get; }

    static abstract Int128 Most { get; }

    /// <summary>The bits as a register holds them: cut to the type, signed 8-bit values extended to 16.</summary>
    static abstract ulong Bits(Int128 value);
}

internal readonly struct U8 : IIntegerType
{
    public static Int128 Least => 0;

    public static Int128 Most => byte.MaxValue;

    public static Int128 Value(ulong bits) => (byte)bits;

    public static ulong Bits(Int128 value) => (byte)value;
}

internal readonly struct S8 : IIntegerType
{
    public static Int128 Least => sbyte.MinValue;

    public static Int128 Most => sbyte.MaxValue;

    public static Int128 Value(ulong bits) => (sbyte)bits;

    public static ulong Bits(Int128 value) => (ulong)(sbyte)value;
}

internal readonly struct U16 : IIntegerType
{
    public static Int128 Least => 0;

    public static Int128 Most => ushort.MaxValue;

    public static Int128 Value(ulong bits) => (ushort)bits;

    public static ulong Bits(Int128 value) => (ushort)value;
}

internal readonly struct S16 : IIntegerType
{
    public static Int128 Least => short.MinValue;

    public static Int128 Most => short.MaxValue;

    public static Int128 Value(ulong bits) => (short)bits;

    public static ulong Bits(Int128 value) => (ulong)(short)value;
}

internal readonly struct U32 : IIntegerType
{
    public static Int128 Least => 0;

    public static Int128 Most => uint.MaxValue;

    public static Int128 Value(ulong bits) => (uint)bits;

    public static ulong Bits(Int128 value) => (uint)value;
}

internal readonly struct S32 : IIntegerType
{
    public static Int128 Least => int.MinValue;

    public static Int128 Most => int.MaxValue;

    public static Int128 Value(ulong bits) => (int)bits;

    public static ulong Bits(Int128 value) => (ulong)(int)value;
}

internal readonly struct U64 : IIntegerType
{
    public static Int128 Least => 0;

    public static Int128 Most => ulong.MaxValue;

    public static Int128 Value(ulong bits) => bits;

    public static ulong Bits(Int128 value) => (ulong)value;
}

internal readonly struct S64 : IIntegerType
{
    public static Int128 Least => long.MinValue;

    public static Int128 Most => long.MaxValue;

    public static Int128 Value(ulong bits) => (long)bits;

    public static ulong Bits(Int128 value) => (ulong)value;
}

/// <summary>Integer to integer; with saturation, else cut.</summary>
internal readonly struct IntegerToInteger<TTo, TFrom, TSaturates> : ILaneOperation
    where TTo : struct, IIntegerType
    where TFrom : struct, IIntegerType
    where TSaturates : struct, IFlag
{
    public static ulong Apply(ulong a, ulong b, ulong c)
    {
        Int128 value = TFrom.Value(a);
        return TTo.Bits(TSaturates.Value ? Int128.Clamp(value, TTo.Least, TTo.Most) : value);
    }
}

/// <summary>Float to integer: rounded, held to the range of the type; NaN becomes 0.</summary>
internal readonly struct FloatToInteger<TTo, TFormat, TRounding> : ILaneOperation
    where TTo : struct, IIntegerType
    where TFormat : struct, IFloatFormat
    where TRounding : struct, IRounding
{
    public static ulong Apply(ulong a, ulong b, ulong c)
    {
        double x = Rounded(TFormat.ToDouble(a));
        if (double.IsNaN(x))
        {
            return 0;
        }

        Int128 value = x >= 18446744073709551616.0 ? ulong.MaxValue : x <= -9223372036854775808.0 ? long.MinValue : (Int128)x;
        return TTo.Bits(Int128.Clamp(value, TTo.Least, TTo.Most));
    }

    public static double Rounded(double x) => TRounding.Mode switch
    {
        RoundingMode.NearestEven => Math.Round(x, MidpointRounding.ToEven),
        RoundingMode.Down => Math.Floor(x),
        RoundingMode.Up => Math.Ceiling(x),
        _ => Math.Truncate(x),
    };
}

/// <summary>Integer to float, rounded once.</summary>
internal readonly struct IntegerToFloat<TFormat, TFrom, TRounding> : ILaneOperation
    where TFormat : struct, IFloatFormat
    where TFrom : struct, IIntegerType
    where TRounding : struct, IRounding
{
    public static ulong Apply(ulong a, ulong b, ulong c)
    {
        Int128 value = TFrom.Value(a);

        // Below 2^53 fp64 holds the number, and one rounding is left.
        return TRounding.Mode == RoundingMode.NearestEven && value < (1L << 53) && value > -(1L << 53)
            ? TFormat.FromDouble((double)value)
            : ExactRounding.FromInteger<TFormat>(value, TRounding.Mode);
    }
}

/// <summary>Float to float of another or the same width.</summary>
internal readonly struct FloatToFloat<TTo, TFrom, TRounding> : ILaneOperation
    where TTo : struct, IFloatFormat
    where TFrom : struct, IFloatFormat
    where TRounding : struct, IRounding
{
    public static ulong Apply(ulong a, ulong b, ulong c)
    {
        double x = TFrom.ToDouble(a);
        return double.IsNaN(x) ? TTo.QuietNaN
            : TRounding.Mode == RoundingMode.NearestEven ? TTo.FromDouble(x)
            : ExactRounding.Convert<TTo>(x, TRounding.Mode);
    }
}

/// <summary>Float rounded to a whole number of the same format.</summary>
internal readonly struct FloatToWhole<TFormat, TRounding> : ILaneOperation
    where TFormat : struct, IFloatFormat
    where TRounding : struct, IRounding
{
    public static ulong Apply(ulong a, ulong b, ulong c)
    {
        double x = FloatToInteger<S64, TFormat, TRounding>.Rounded(TFormat.ToDouble(a));
        return double.IsNaN(x) ? TFormat.QuietNaN : TFormat.FromDouble(x);
    }
}

/// <summary>Two fp32 values rounded to a pair of 16-bit ones: A in the upper half.</summary>
internal readonly struct PackPair<TFormat, TRounding, TRelu> : ILaneOperation
    where TFormat : struct, IFloatFormat
    where TRounding : struct, IRounding
    where TRelu : struct, IFlag
{
    public static ulong Apply(ulong a, ulong b, ulong c) => (One(a) << 16) | One(b);

    private static ulong One(ulong bits)
    {
        ulong result = FloatToFloat<TFormat, Float32, TRounding>.Apply(bits, 0, 0);
        return TRelu.Value && (result & 0x8000) != 0 && !double.IsNaN(TFormat.ToDouble(result)) ? 0 : result;
    }
}

/// <summary>fp32 with the significand of tf32, ties away from zero or to even.</summary>
internal readonly struct ToTensorFloat<TRounding> : ILaneOperation
    where TRounding : struct, IRounding
{
    public static ulong Apply(ulong a, ulong b, ulong c)
    {
        uint bits = (uint)a;
        if ((bits & 0x7F800000) == 0x7F800000)
        {
            return (bits & 0x7FFFFF) != 0 ? 0x7FFFFFFF : bits;
        }

        return TRounding.Mode switch
        {
            RoundingMode.NearestAway => (bits + 0x1000) & ~0x1FFFu,
            RoundingMode.Zero => bits & ~0x1FFFu,
            _ => (bits + 0xFFF + ((bits >> 13) & 1)) & ~0x1FFFu,
        };
    }
}

/// <summary>fp32 to bf16 with ties to even, sixteen at a time.</summary>
internal readonly struct SingleToBFloat16 : IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c)
    {
        U rounded = (a + Vector512.Create(0x7FFFu) + ((a >> 16) & U.One)) >> 16;
        return Vector512.ConditionalSelect(Vector512.Equals(a.AsSingle(), a.AsSingle()).AsUInt32(), rounded, Vector512.Create(0x7FFFu));
    }
}

/// <summary>Two fp32 values to a pair of bf16: A in the upper half.</summary>
internal readonly struct PackBFloat16 : IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c) => (SingleToBFloat16.Apply(a, default, default) << 16) | SingleToBFloat16.Apply(b, default, default);
}

internal readonly struct BFloat16ToSingle : IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c) => Single.Canonical((a << 16).AsSingle());
}

internal readonly struct SignedToSingle : IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c) => Vector512.ConvertToSingle(a.AsInt32()).AsUInt32();
}

internal readonly struct UnsignedToSingle : IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c) => Vector512.ConvertToSingle(a).AsUInt32();
}

/// <summary>fp32, already whole, to a signed integer; beyond the range the nearest end, NaN 0.</summary>
internal readonly struct SingleToSigned<TRounded> : IWordOperation
    where TRounded : struct, IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c)
    {
        F x = TRounded.Apply(a, default, default).AsSingle();
        U result = Vector512.ConvertToInt32(Vector512.ConditionalSelect(Vector512.LessThan(x, Vector512.Create(2147483648f)), x, F.Zero)).AsUInt32();
        result = Vector512.ConditionalSelect(
            Vector512.GreaterThanOrEqual(x, Vector512.Create(2147483648f)).AsUInt32(),
            Vector512.Create(0x7FFFFFFFu),
            result
        );
        return Vector512.ConditionalSelect(Vector512.LessThan(x, Vector512.Create(-2147483648f)).AsUInt32(), Vector512.Create(0x80000000u), result);
    }
}

/// <summary>fp32, already whole, to an unsigned integer; beyond the range the nearest end, NaN 0.</summary>
internal readonly struct SingleToUnsigned<TRounded> : IWordOperation
    where TRounded : struct, IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c)
    {
        F x = TRounded.Apply(a, default, default).AsSingle();
        F positive = Vector512.ConditionalSelect(Vector512.GreaterThan(x, F.Zero), x, F.Zero);
        U large = Vector512.GreaterThanOrEqual(positive, Vector512.Create(2147483648f)).AsUInt32();
        F low = Vector512.ConditionalSelect(large.AsSingle(), positive - Vector512.Create(2147483648f), positive);
        low = Vector512.ConditionalSelect(Vector512.LessThan(low, Vector512.Create(2147483648f)), low, F.Zero);
        U result = Vector512.ConvertToInt32(low).AsUInt32() + (large & Vector512.Create(0x80000000u));
        return Vector512.ConditionalSelect(Vector512.GreaterThanOrEqual(positive, Vector512.Create(4294967296f)).AsUInt32(), U.AllBitsSet, result);
    }
}

/// <summary>An operation whose fp32 operand counts as zero where it is subnormal.</summary>
internal readonly struct FlushedOperand<T> : IWordOperation
    where T : struct, IWordOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U Apply(U a, U b, U c) => T.Apply(Single.Flush(a), b, c);
}

/// <summary>An operation whose operand counts as zero where it is a subnormal fp32.</summary>
internal readonly struct FlushedOperandLane<T, TFormat> : ILaneOperation
    where T : struct, ILaneOperation
    where TFormat : struct, IFloatFormat
{
    public static ulong Apply(ulong a, ulong b, ulong c) => T.Apply(TFormat.Precision == 24 && (a & 0x7F800000) == 0 ? a & 0x80000000 : a, b, c);
}

/// <summary>A conversion between floats in which subnormal fp32 values, on either side, count as zero.</summary>
internal readonly struct FlushedConversion<T, TFrom, TTo> : ILaneOperation
    where T : struct, ILaneOperation
    where TFrom : struct, IFloatFormat
    where TTo : struct, IFloatFormat
{
    public static ulong Apply(ulong a, ulong b, ulong c)
    {
        ulong result = FlushedOperandLane<T, TFrom>.Apply(a, b, c);
        return TTo.Precision == 24 && (result & 0x7F800000) == 0 ? result & 0x80000000 : result;
    }
}

/// <summary>A float result held to 0 … 1.</summary>
internal readonly struct SaturatedFloat<T, TFormat> : ILaneOperation
    where T : struct, ILaneOperation
    where TFormat : struct, IFloatFormat
{
    public static ulong Apply(ulong a, ulong b, ulong c)
    {
        ulong result = T.Apply(a, b, c);
        double x = TFormat.ToDouble(result);
        return x > 1 ? TFormat.FromDouble(1) : x > 0 ? result : 0;
    }
}

/// <summary>A float result with negative values replaced by zero; NaN stays.</summary>
internal readonly struct ReluFloat<T, TFormat> : ILaneOperation
    where T : struct, ILaneOperation
    where TFormat : struct, IFloatFormat
{
    public static ulong Apply(ulong a, ulong b, ulong c)
    {
        ulong result = T.Apply(a, b, c);
        double x = TFormat.ToDouble(result);
        return double.IsNaN(x) ? TFormat.QuietNaN : x > 0 ? result : 0;
    }
}

/// <summary>Conversions between the banks, sixteen or eight lanes at a time.</summary>
internal static unsafe class BankConversions
{
    /// <summary>Zero-extends A (32 bits) to D (64 bits).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* WidenUnsigned(Warp warp, Instr* at)
    {
        byte* a = warp.R + at->A;
        for (int half = 0; half < 2; half++)
        {
            U x = Vector512.LoadAligned((uint*)a + (16 * half));
            LaneVectors.Store(warp, at->D, 2 * half, Vector512.WidenLower(x));
            LaneVectors.Store(warp, at->D, (2 * half) + 1, Vector512.WidenUpper(x));
        }

        return at + 1;
    }

    /// <summary>Sign-extends A to D.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* WidenSigned(Warp warp, Instr* at)
    {
        byte* a = warp.R + at->A;
        for (int half = 0; half < 2; half++)
        {
            Vector512<int> x = Vector512.LoadAligned((int*)a + (16 * half));
            LaneVectors.Store(warp, at->D, 2 * half, Vector512.WidenLower(x).AsUInt64());
            LaneVectors.Store(warp, at->D, (2 * half) + 1, Vector512.WidenUpper(x).AsUInt64());
        }

        return at + 1;
    }

    /// <summary>The low half of A (64 bits) to D (32 bits).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* NarrowLow(Warp warp, Instr* at)
    {
        byte* a = warp.D + at->A;
        LaneVectors.Store(
            warp,
            at->D,
            Vector512.Narrow(LaneVectors.Quarter(a, 0), LaneVectors.Quarter(a, 1)),
            Vector512.Narrow(LaneVectors.Quarter(a, 2), LaneVectors.Quarter(a, 3))
        );
        return at + 1;
    }

    /// <summary>The high half of A to D.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* NarrowHigh(Warp warp, Instr* at)
    {
        byte* a = warp.D + at->A;
        LaneVectors.Store(
            warp,
            at->D,
            Vector512.Narrow(LaneVectors.Quarter(a, 0) >> 32, LaneVectors.Quarter(a, 1) >> 32),
            Vector512.Narrow(LaneVectors.Quarter(a, 2) >> 32, LaneVectors.Quarter(a, 3) >> 32)
        );
        return at + 1;
    }

    /// <summary>A (low) and B (high), 32 bits each, to D.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* Join(Warp warp, Instr* at)
    {
        byte* a = warp.R + at->A;
        byte* b = warp.R + at->B;
        for (int half = 0; half < 2; half++)
        {
            U x = Vector512.LoadAligned((uint*)a + (16 * half));
            U y = Vector512.LoadAligned((uint*)b + (16 * half));
            LaneVectors.Store(warp, at->D, 2 * half, Vector512.WidenLower(x) | (Vector512.WidenLower(y) << 32));
            LaneVectors.Store(warp, at->D, (2 * half) + 1, Vector512.WidenUpper(x) | (Vector512.WidenUpper(y) << 32));
        }

        return at + 1;
    }

    /// <summary>fp32 A to fp64 D.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* SingleToDouble(Warp warp, Instr* at)
    {
        byte* a = warp.R + at->A;
        for (int half = 0; half < 2; half++)
        {
            F x = Vector512.LoadAligned((float*)a + (16 * half));
            LaneVectors.Store(warp, at->D, 2 * half, Vector512.WidenLower(x).AsUInt64());
            LaneVectors.Store(warp, at->D, (2 * half) + 1, Vector512.WidenUpper(x).AsUInt64());
        }

        return at + 1;
    }

    /// <summary>fp64 A to fp32 D, nearest even.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* DoubleToSingle(Warp warp, Instr* at)
    {
        byte* a = warp.D + at->A;
        F low = Vector512.Narrow(LaneVectors.Quarter(a, 0).AsDouble(), LaneVectors.Quarter(a, 1).AsDouble());
        F high = Vector512.Narrow(LaneVectors.Quarter(a, 2).AsDouble(), LaneVectors.Quarter(a, 3).AsDouble());
        LaneVectors.Store(warp, at->D, Single.Canonical(low), Single.Canonical(high));
        return at + 1;
    }
}
#pragma warning restore SA1649, SA1402
