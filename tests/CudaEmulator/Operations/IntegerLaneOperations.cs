using System.Numerics;
using System.Runtime.CompilerServices;

namespace CoGrpo.CudaEmulator.Operations;

// Integer operations that go lane by lane, named as in PTX. 32-bit values come zero-extended; what does not fit is cut off by the bank.
#pragma warning disable SA1649, SA1402

/// <summary>Division by zero gives all ones, as on devices.</summary>
internal readonly struct DivUnsigned32 : ILaneOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Apply(ulong a, ulong b, ulong c) => (uint)b == 0 ? uint.MaxValue : (uint)a / (uint)b;
}

internal readonly struct RemUnsigned32 : ILaneOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Apply(ulong a, ulong b, ulong c) => (uint)b == 0 ? (uint)a : (uint)a % (uint)b;
}

internal readonly struct DivSigned32 : ILaneOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Apply(ulong a, ulong b, ulong c) => (int)b switch
    {
        0 => uint.MaxValue,
        -1 => (uint)-(int)a,
        int divisor => (uint)((int)a / divisor),
    };
}

internal readonly struct RemSigned32 : ILaneOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Apply(ulong a, ulong b, ulong c) => (int)b switch
    {
        0 => (uint)a,
        -1 => 0,
        int divisor => (uint)((int)a % divisor),
    };
}

internal readonly struct DivUnsigned64 : ILaneOperation
{
    public static ulong Apply(ulong a, ulong b, ulong c) => b == 0 ? ulong.MaxValue : a / b;
}

internal readonly struct RemUnsigned64 : ILaneOperation
{
    public static ulong Apply(ulong a, ulong b, ulong c) => b == 0 ? a : a % b;
}

internal readonly struct DivSigned64 : ILaneOperation
{
    public static ulong Apply(ulong a, ulong b, ulong c) => (long)b switch
    {
        0 => ulong.MaxValue,
        -1 => (ulong)-(long)a,
        long divisor => (ulong)((long)a / divisor),
    };
}

internal readonly struct RemSigned64 : ILaneOperation
{
    public static ulong Apply(ulong a, ulong b, ulong c) => (long)b switch
    {
        0 => a,
        -1 => 0,
        long divisor => (ulong)((long)a % divisor),
    };
}

/// <summary>16-bit signed operands of a signed 32-bit operation, the result cut to 16 bits.</summary>
internal readonly struct SignedLane16<T> : ILaneOperation
    where T : struct, ILaneOperation
{
    public static ulong Apply(ulong a, ulong b, ulong c) => (ushort)T.Apply((uint)(short)a, (uint)(short)b, (uint)(short)c);
}

/// <summary>16-bit operands, the result cut to 16 bits.</summary>
internal readonly struct UnsignedLane16<T> : ILaneOperation
    where T : struct, ILaneOperation
{
    public static ulong Apply(ulong a, ulong b, ulong c) => (ushort)T.Apply(a, b, c);
}

internal readonly struct MulHighUnsigned64 : ILaneOperation
{
    public static ulong Apply(ulong a, ulong b, ulong c) => Math.BigMul(a, b, out _) + c;
}

internal readonly struct MulHighSigned64 : ILaneOperation
{
    public static ulong Apply(ulong a, ulong b, ulong c) => (ulong)Math.BigMul((long)a, (long)b, out _) + c;
}

internal readonly struct Mul24LowUnsigned : ILaneOperation
{
    public static ulong Apply(ulong a, ulong b, ulong c) => (uint)(((a & 0xFFFFFF) * (b & 0xFFFFFF)) + c);
}

internal readonly struct Mul24LowSigned : ILaneOperation
{
    public static ulong Apply(ulong a, ulong b, ulong c) => (uint)((ulong)((long)((int)a << 8 >> 8) * ((int)b << 8 >> 8)) + c);
}

internal readonly struct Mul24HighUnsigned : ILaneOperation
{
    public static ulong Apply(ulong a, ulong b, ulong c) => (uint)((((a & 0xFFFFFF) * (b & 0xFFFFFF)) >> 16) + c);
}

internal readonly struct Mul24HighSigned : ILaneOperation
{
    public static ulong Apply(ulong a, ulong b, ulong c) => (uint)((ulong)(((long)((int)a << 8 >> 8) * ((int)b << 8 >> 8)) >> 16) + c);
}

/// <summary>|a - b| + c.</summary>
internal readonly struct SadUnsigned : ILaneOperation
{
    public static ulong Apply(ulong a, ulong b, ulong c) => (a < b ? b - a : a - b) + c;
}

internal readonly struct SadSigned32 : ILaneOperation
{
    public static ulong Apply(ulong a, ulong b, ulong c) => (ulong)Math.Abs((long)(int)a - (int)b) + c;
}

internal readonly struct SadSigned64 : ILaneOperation
{
    public static ulong Apply(ulong a, ulong b, ulong c) => ((long)a < (long)b ? b - a : a - b) + c;
}

internal readonly struct PopCount : ILaneOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Apply(ulong a, ulong b, ulong c) => (ulong)BitOperations.PopCount(a);
}

internal readonly struct LeadingZeros32 : ILaneOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Apply(ulong a, ulong b, ulong c) => (ulong)BitOperations.LeadingZeroCount((uint)a);
}

internal readonly struct LeadingZeros64 : ILaneOperation
{
    public static ulong Apply(ulong a, ulong b, ulong c) => (ulong)BitOperations.LeadingZeroCount(a);
}

internal readonly struct ReverseBits32 : ILaneOperation
{
    public static ulong Apply(ulong a, ulong b, ulong c) => ReverseBits64.Apply(a, 0, 0) >> 32;
}

internal readonly struct ReverseBits64 : ILaneOperation
{
    public static ulong Apply(ulong a, ulong b, ulong c)
    {
        a = ((a >> 1) & 0x5555555555555555) | ((a & 0x5555555555555555) << 1);
        a = ((a >> 2) & 0x3333333333333333) | ((a & 0x3333333333333333) << 2);
        a = ((a >> 4) & 0x0F0F0F0F0F0F0F0F) | ((a & 0x0F0F0F0F0F0F0F0F) << 4);
        return System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(a);
    }
}

/// <summary>Position of the highest bit that differs from the sign, or all ones.</summary>
internal readonly struct FindUnsigned : ILaneOperation
{
    public static ulong Apply(ulong a, ulong b, ulong c) => a == 0 ? uint.MaxValue : (ulong)BitOperations.Log2(a);
}

internal readonly struct FindSigned32 : ILaneOperation
{
    public static ulong Apply(ulong a, ulong b, ulong c) => FindUnsigned.Apply((int)a < 0 ? (uint)~a : (uint)a, 0, 0);
}

internal readonly struct FindSigned64 : ILaneOperation
{
    public static ulong Apply(ulong a, ulong b, ulong c) => FindUnsigned.Apply((long)a < 0 ? ~a : a, 0, 0);
}

/// <summary>The found position as a shift that brings the bit to the top.</summary>
internal readonly struct AsShift32<T> : ILaneOperation
    where T : struct, ILaneOperation
{
    public static ulong Apply(ulong a, ulong b, ulong c) => T.Apply(a, b, c) is var found && found == uint.MaxValue ? found : 31 - found;
}

internal readonly struct AsShift64<T> : ILaneOperation
    where T : struct, ILaneOperation
{
    public static ulong Apply(ulong a, ulong b, ulong c) => T.Apply(a, b, c) is var found && found == uint.MaxValue ? found : 63 - found;
}

/// <summary>Bits b … b + c - 1 of a.</summary>
internal readonly struct ExtractUnsigned32 : ILaneOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Apply(ulong a, ulong b, ulong c)
    {
        int start = (int)(b & 255);
        int length = (int)(c & 255);
        return start > 31 || length == 0 ? 0 : ((uint)a >> start) & (length > 31 ? uint.MaxValue : (1u << length) - 1);
    }
}

internal readonly struct ExtractUnsigned64 : ILaneOperation
{
    public static ulong Apply(ulong a, ulong b, ulong c)
    {
        int start = (int)(b & 255);
        int length = (int)(c & 255);
        return start > 63 || length == 0 ? 0 : (a >> start) & (length > 63 ? ulong.MaxValue : (1UL << length) - 1);
    }
}

internal readonly struct ExtractSigned32 : ILaneOperation
{
    public static ulong Apply(ulong a, ulong b, ulong c) => (uint)ExtractSigned64.Extract((ulong)(int)a, (int)(b & 255), (int)(c & 255), 31);
}

internal readonly struct ExtractSigned64 : ILaneOperation
{
    public static ulong Apply(ulong a, ulong b, ulong c) => Extract(a, (int)(b & 255), (int)(c & 255), 63);

    /// <summary>The field of a sign-extended value; bits beyond the top are its sign.</summary>
    public static ulong Extract(ulong a, int start, int length, int top)
    {
        if (length == 0)
        {
            return 0;
        }

        long shifted = (long)a >> Math.Min(start, 63);
        int signAt = Math.Min(start + length - 1, top) - start;
        return signAt < 0 ? (ulong)((long)a >> 63) : (ulong)(shifted << (63 - signAt) >> (63 - signAt));
    }
}

internal readonly struct DotUnsigned : ILaneOperation
{
    public static ulong Apply(ulong a, ulong b, ulong c) => DotProduct.Four(a, b, c, false, false);
}

internal readonly struct DotSigned : ILaneOperation
{
    public static ulong Apply(ulong a, ulong b, ulong c) => DotProduct.Four(a, b, c, true, true);
}

internal readonly struct DotUnsignedSigned : ILaneOperation
{
    public static ulong Apply(ulong a, ulong b, ulong c) => DotProduct.Four(a, b, c, false, true);
}

internal readonly struct DotSignedUnsigned : ILaneOperation
{
    public static ulong Apply(ulong a, ulong b, ulong c) => DotProduct.Four(a, b, c, true, false);
}

/// <summary>dp2a: two halves of a by two bytes of b, those from <typeparamref name="THigh"/> on.</summary>
internal readonly struct DotTwo<TA, TB, THigh> : ILaneOperation
    where TA : struct, IFlag
    where TB : struct, IFlag
    where THigh : struct, IFlag
{
    public static ulong Apply(ulong a, ulong b, ulong c)
    {
        long sum = (int)c;
        for (int i = 0; i < 2; i++)
        {
            ushort half = (ushort)(a >> (16 * i));
            byte part = (byte)(b >> (8 * (i + (THigh.Value ? 2 : 0))));
            sum += (TA.Value ? (short)half : half) * (long)(TB.Value ? (sbyte)part : part);
        }

        return (uint)sum;
    }
}

internal static class DotProduct
{
    public static ulong Four(ulong a, ulong b, ulong c, bool signedA, bool signedB)
    {
        long sum = (int)c;
        for (int i = 0; i < 4; i++)
        {
            byte x = (byte)(a >> (8 * i));
            byte y = (byte)(b >> (8 * i));
            sum += (signedA ? (sbyte)x : x) * (signedB ? (sbyte)y : y);
        }

        return (uint)sum;
    }
}

internal readonly struct AddLane : ILaneOperation
{
    public static ulong Apply(ulong a, ulong b, ulong c) => a + b;
}

internal readonly struct MinLane : ILaneOperation
{
    public static ulong Apply(ulong a, ulong b, ulong c) => (ulong)Math.Min((int)a, (int)b);
}

internal readonly struct MaxLane : ILaneOperation
{
    public static ulong Apply(ulong a, ulong b, ulong c) => (ulong)Math.Max((int)a, (int)b);
}

/// <summary>Zero where the result would be negative.</summary>
internal readonly struct NotNegative<T> : ILaneOperation
    where T : struct, ILaneOperation
{
    public static ulong Apply(ulong a, ulong b, ulong c) => T.Apply(a, b, c) is var result && (int)result < 0 ? 0 : result;
}

/// <summary>Two integers held to the range of halves, A above B.</summary>
internal readonly struct PackHalves<TSigned> : ILaneOperation
    where TSigned : struct, IFlag
{
    public static ulong Apply(ulong a, ulong b, ulong c) => (Hold((int)a) << 16) | Hold((int)b);

    private static ulong Hold(int x) =>
        TSigned.Value ? (ushort)Math.Clamp(x, short.MinValue, short.MaxValue) : (ushort)Math.Clamp(x, 0, ushort.MaxValue);
}

/// <summary>Two integers held to the range of bytes, A above B, under the lower half of C.</summary>
internal readonly struct PackBytes<TSigned> : ILaneOperation
    where TSigned : struct, IFlag
{
    public static ulong Apply(ulong a, ulong b, ulong c) => ((c & 0xFFFF) << 16) | (Hold((int)a) << 8) | Hold((int)b);

    private static ulong Hold(int x) => TSigned.Value ? (byte)Math.Clamp(x, sbyte.MinValue, sbyte.MaxValue) : (byte)Math.Clamp(x, 0, byte.MaxValue);
}

/// <summary>A signed sum held to the range.</summary>
internal readonly struct AddSaturated : ILaneOperation
{
    public static ulong Apply(ulong a, ulong b, ulong c) => (uint)(int)Math.Clamp((long)(int)a + (int)b, int.MinValue, int.MaxValue);
}

internal readonly struct SubSaturated : ILaneOperation
{
    public static ulong Apply(ulong a, ulong b, ulong c) => (uint)(int)Math.Clamp((long)(int)a - (int)b, int.MinValue, int.MaxValue);
}

/// <summary>szext: the low b bits of a, extended by zero or sign; b beyond 32 stops there or wraps.</summary>
internal readonly struct ExtendField<TWraps, TSigned> : ILaneOperation
    where TWraps : struct, IFlag
    where TSigned : struct, IFlag
{
    public static ulong Apply(ulong a, ulong b, ulong c)
    {
        int length = (int)(TWraps.Value ? b & 31 : Math.Min(b, 32));
        return TSigned.Value ? ExtractSigned32.Apply(a, 0, (ulong)length) : ExtractUnsigned32.Apply(a, 0, (ulong)length);
    }
}

/// <summary>bmsk: b ones from bit a on.</summary>
internal readonly struct FieldMask<TWraps> : ILaneOperation
    where TWraps : struct, IFlag
{
    public static ulong Apply(ulong a, ulong b, ulong c)
    {
        int start = (int)(TWraps.Value ? a & 31 : Math.Min(a, 32));
        int length = (int)(TWraps.Value ? b & 31 : Math.Min(b, 32));
        return (uint)(((1UL << length) - 1) << start);
    }
}

/// <summary>Yes or no, known when code is generated.</summary>
internal interface IFlag
{
    static abstract bool Value { get; }
}

internal readonly struct Yes : IFlag
{
    public static bool Value => true;
}

internal readonly struct No : IFlag
{
    public static bool Value => false;
}
#pragma warning restore SA1649, SA1402
