using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace CoGrpo.CudaEmulator.Execution;

/// <summary>What handlers share: lanes of a slot as vectors, masks, stores to some lanes only.</summary>
internal static unsafe class LaneVectors
{
    /// <summary>All ones in lanes 0 to 15 of the mask.</summary>
    public static Vector512<uint> MaskLow
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get =>
            Vector512.Create(
                1u,
                1u << 1,
                1u << 2,
                1u << 3,
                1u << 4,
                1u << 5,
                1u << 6,
                1u << 7,
                1u << 8,
                1u << 9,
                1u << 10,
                1u << 11,
                1u << 12,
                1u << 13,
                1u << 14,
                1u << 15
            );
    }

    /// <summary>Lanes 0 to 15 (half 0) or 16 to 31 of a mask as all ones or zeros.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Expand(uint mask, int half)
    {
        Vector512<uint> bits = MaskLow;
        return Vector512.Equals(Vector512.Create(mask >> (16 * half)) & bits, bits);
    }

    /// <summary>Eight lanes of a mask, of quarter 0 to 3, as all ones or zeros.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<ulong> ExpandQuarter(uint mask, int quarter)
    {
        Vector512<ulong> bits = Vector512.Create(1UL, 2, 4, 8, 16, 32, 64, 128);
        return Vector512.Equals(Vector512.Create((ulong)(mask >> (8 * quarter))) & bits, bits);
    }

    /// <summary>Writes a 32-bit slot where the warp's mask allows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Warp warp, int slot, Vector512<uint> low, Vector512<uint> high)
    {
        uint* to = (uint*)(warp.R + slot);
        uint mask = warp.Store;
        if (mask == uint.MaxValue)
        {
            low.StoreAligned(to);
            high.StoreAligned(to + 16);
        }
        else
        {
            Vector512.ConditionalSelect(Expand(mask, 0), low, Vector512.LoadAligned(to)).StoreAligned(to);
            Vector512.ConditionalSelect(Expand(mask, 1), high, Vector512.LoadAligned(to + 16)).StoreAligned(to + 16);
        }
    }

    /// <summary>Writes some lanes of a 32-bit slot.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(uint* to, uint lanes, Vector512<uint> low, Vector512<uint> high)
    {
        Vector512.ConditionalSelect(Expand(lanes, 0), low, Vector512.LoadAligned(to)).StoreAligned(to);
        Vector512.ConditionalSelect(Expand(lanes, 1), high, Vector512.LoadAligned(to + 16)).StoreAligned(to + 16);
    }

    /// <summary>Writes some of eight lanes of a 64-bit slot.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(ulong* slot, uint lanes, int quarter, Vector512<ulong> value)
    {
        ulong* to = slot + (8 * quarter);
        Vector512.ConditionalSelect(ExpandQuarter(lanes, quarter), value, Vector512.LoadAligned(to)).StoreAligned(to);
    }

    /// <summary>Writes eight lanes of a 64-bit slot where the warp's mask allows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Warp warp, int slot, int quarter, Vector512<ulong> value)
    {
        ulong* to = (ulong*)(warp.D + slot) + (8 * quarter);
        uint mask = warp.Store;
        (mask == uint.MaxValue ? value : Vector512.ConditionalSelect(ExpandQuarter(mask, quarter), value, Vector512.LoadAligned(to))).StoreAligned(
            to
        );
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Low(byte* slot) => Vector512.LoadAligned((uint*)slot);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> High(byte* slot) => Vector512.LoadAligned((uint*)slot + 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<ulong> Quarter(byte* slot, int quarter) => Vector512.LoadAligned((ulong*)slot + (8 * quarter));

    /// <summary>Writes a predicate where the warp's mask allows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StorePredicate(Warp warp, int index, uint value) => warp.P[index] = (warp.P[index] & ~warp.Store) | (value & warp.Store);

    /// <summary>One bit per lane of two vectors of comparison results.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Bits(Vector512<uint> low, Vector512<uint> high) =>
        (uint)low.ExtractMostSignificantBits() | ((uint)high.ExtractMostSignificantBits() << 16);

    /// <summary>Shifts each lane by its own count; 32 and more give 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> ShiftLeft(Vector512<uint> value, Vector512<uint> count) =>
        Avx512F.IsSupported ? Avx512F.ShiftLeftLogicalVariable(value, count) : PerLane(value, count, static (v, c) => c > 31 ? 0 : v << (int)c);

    /// <summary>Shifts each lane by its own count; 32 and more give 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> ShiftRight(Vector512<uint> value, Vector512<uint> count) =>
        Avx512F.IsSupported ? Avx512F.ShiftRightLogicalVariable(value, count) : PerLane(value, count, static (v, c) => c > 31 ? 0 : v >> (int)c);

    /// <summary>Shifts each lane by its own count; 32 and more give the sign.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> ShiftRightSigned(Vector512<uint> value, Vector512<uint> count) =>
        Avx512F.IsSupported
            ? Avx512F.ShiftRightArithmeticVariable(value.AsInt32(), count).AsUInt32()
            : PerLane(value, count, static (v, c) => (uint)((int)v >> (int)Math.Min(c, 31)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<ulong> ShiftLeft(Vector512<ulong> value, Vector512<ulong> count) =>
        Avx512F.IsSupported ? Avx512F.ShiftLeftLogicalVariable(value, count) : PerLane(value, count, static (v, c) => c > 63 ? 0 : v << (int)c);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<ulong> ShiftRight(Vector512<ulong> value, Vector512<ulong> count) =>
        Avx512F.IsSupported ? Avx512F.ShiftRightLogicalVariable(value, count) : PerLane(value, count, static (v, c) => c > 63 ? 0 : v >> (int)c);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<ulong> ShiftRightSigned(Vector512<ulong> value, Vector512<ulong> count) =>
        Avx512F.IsSupported
            ? Avx512F.ShiftRightArithmeticVariable(value.AsInt64(), count).AsUInt64()
            : PerLane(value, count, static (v, c) => (ulong)((long)v >> (int)Math.Min(c, 63)));

    /// <summary>Whether the set bits of a mask are adjacent.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsRun(uint mask)
    {
        uint shifted = mask >> BitOperations.TrailingZeroCount(mask);
        return (shifted & (shifted + 1)) == 0;
    }

    private static Vector512<T> PerLane<T>(Vector512<T> value, Vector512<T> count, Func<T, T, T> shift)
    {
        Vector512<T> result = default;
        for (int i = 0; i < Vector512<T>.Count; i++)
        {
            result = result.WithElement(i, shift(value.GetElement(i), count.GetElement(i)));
        }

        return result;
    }
}
