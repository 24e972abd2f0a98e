using System.Runtime.CompilerServices;

namespace CoGrpo.CudaEmulator.Memory;

/// <summary>
/// Bitmaps with one bit per byte of memory. Changes of shared words are atomic, as blocks that run beside each other write neighbouring bytes.
/// </summary>
internal static unsafe class ByteBits
{
    /// <summary>Whether every bit of a range is set.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool AllSet(ulong* bits, ulong offset, uint count)
    {
        ulong* at = bits + (offset >> 6);
        int shift = (int)(offset & 63);
        if (shift + count <= 64)
        {
            ulong mask = (ulong.MaxValue >> (int)(64 - count)) << shift;
            return (*at & mask) == mask;
        }

        ulong missing = ~*at >> shift;
        uint left = count - (64 - (uint)shift);
        at++;
        while (left >= 64)
        {
            missing |= ~*at++;
            left -= 64;
        }

        return left == 0 ? missing == 0 : (missing | (~*at & (ulong.MaxValue >> (int)(64 - left)))) == 0;
    }

    /// <summary>Whether any bit of a range is set.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool AnySet(ulong* bits, ulong offset, uint count)
    {
        ulong* at = bits + (offset >> 6);
        int shift = (int)(offset & 63);
        if (shift + count <= 64)
        {
            return (*at & ((ulong.MaxValue >> (int)(64 - count)) << shift)) != 0;
        }

        ulong found = *at >> shift;
        uint left = count - (64 - (uint)shift);
        at++;
        while (left >= 64)
        {
            found |= *at++;
            left -= 64;
        }

        return (left == 0 ? found : found | (*at & (ulong.MaxValue >> (int)(64 - left)))) != 0;
    }

    /// <summary>Sets the bits of a range.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Set(ulong* bits, ulong offset, ulong count)
    {
        ulong* at = bits + (offset >> 6);
        int shift = (int)(offset & 63);
        if ((ulong)shift + count <= 64)
        {
            SetWord(at, (ulong.MaxValue >> (int)(64 - count)) << shift);
            return;
        }

        SetWord(at++, ulong.MaxValue << shift);
        count -= 64 - (uint)shift;
        while (count >= 64)
        {
            *at++ = ulong.MaxValue;
            count -= 64;
        }

        if (count > 0)
        {
            SetWord(at, ulong.MaxValue >> (int)(64 - count));
        }
    }

    /// <summary>Clears the bits of a range.</summary>
    public static void Clear(ulong* bits, ulong offset, ulong count)
    {
        while (count > 0)
        {
            int shift = (int)(offset & 63);
            ulong part = Math.Min(count, 64 - (ulong)shift);
            Interlocked.And(ref bits[offset >> 6], ~((ulong.MaxValue >> (int)(64 - part)) << shift));
            offset += part;
            count -= part;
        }
    }

    /// <summary>Clears the bits of a range that no other thread uses.</summary>
    public static void ClearAlone(ulong* bits, ulong offset, uint count)
    {
        while (count > 0)
        {
            int shift = (int)(offset & 63);
            uint part = Math.Min(count, 64 - (uint)shift);
            bits[offset >> 6] &= ~((ulong.MaxValue >> (int)(64 - part)) << shift);
            offset += part;
            count -= part;
        }
    }

    /// <summary>Copies bits of a range; source and target may not overlap.</summary>
    public static void Copy(ulong* from, ulong fromOffset, ulong* to, ulong toOffset, ulong count)
    {
        while (count > 0)
        {
            int part = (int)Math.Min(count, 64 - (toOffset & 63));
            int shift = (int)(fromOffset & 63);
            ulong bits = from[fromOffset >> 6] >> shift;
            if (shift + part > 64)
            {
                bits |= from[(fromOffset >> 6) + 1] << (64 - shift);
            }

            ulong mask = (ulong.MaxValue >> (64 - part)) << (int)(toOffset & 63);
            ulong word = to[toOffset >> 6];
            to[toOffset >> 6] = (word & ~mask) | ((bits << (int)(toOffset & 63)) & mask);
            fromOffset += (ulong)part;
            toOffset += (ulong)part;
            count -= (ulong)part;
        }
    }

    /// <summary>Offset of the first clear bit of a range, which must have one.</summary>
    public static ulong FirstClear(ulong* bits, ulong offset)
    {
        while ((bits[offset >> 6] >> (int)(offset & 63) & 1) != 0)
        {
            offset++;
        }

        return offset;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void SetWord(ulong* word, ulong mask)
    {
        if ((*word & mask) != mask)
        {
            if (mask == ulong.MaxValue)
            {
                *word = mask;
            }
            else
            {
                Interlocked.Or(ref *word, mask);
            }
        }
    }
}
