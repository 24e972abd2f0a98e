using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace CoGrpo.Runtime.Backends.Cpu;

/// <summary>
/// Philox4x32-10 on sixteen consecutive blocks, bit-equal to <see cref="Randomness.Philox.Block"/>. Each counter word lives in the low half of a
/// 64-bit lane: the product needs the full lane anyway, and whatever it leaves in the high half is ignored by the next product, so no round masks.
/// </summary>
internal static class SimdPhilox
{
    /// <summary>Words made by one call of <see cref="Words64"/>.</summary>
    public const int WordsPerCall = 64;

    private const uint Multiplier0 = 0xD2511F53;
    private const uint Multiplier1 = 0xCD9E8D57;
    private const uint Weyl0 = 0x9E3779B9;
    private const uint Weyl1 = 0xBB67AE85;

    /// <summary>
    /// The 64 words of blocks (c0, c1, c2, c3) to (c0 + 15, c1, c2, c3) in order: word i of the four results taken together is
    /// word i mod 4 of block c0 + i/4.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Words64(ulong key, uint c0, uint c1, uint c2, uint c3, out Vector512<uint> w0, out Vector512<uint> w1, out Vector512<uint> w2,
        out Vector512<uint> w3)
    {
        // This order of the blocks makes the final interleave stay inside pairs of lanes.
        Vector512<ulong> order = Vector512.Create(0UL, 4, 1, 5, 2, 6, 3, 7);
        Vector512<ulong> a0 = Vector512.Create((ulong)c0) + order;
        Vector512<ulong> b0 = Vector512.Create((ulong)c0 + 8) + order;
        Vector512<ulong> a1 = Vector512.Create((ulong)c1);
        Vector512<ulong> b1 = a1;
        Vector512<ulong> a2 = Vector512.Create((ulong)c2);
        Vector512<ulong> b2 = a2;
        Vector512<ulong> a3 = Vector512.Create((ulong)c3);
        Vector512<ulong> b3 = a3;
        Vector512<ulong> m0 = Vector512.Create((ulong)Multiplier0);
        Vector512<ulong> m1 = Vector512.Create((ulong)Multiplier1);
        uint k0 = (uint)key;
        uint k1 = (uint)(key >> 32);
        for (int round = 0; round < 10; round++)
        {
            Vector512<ulong> key0 = Vector512.Create((ulong)k0);
            Vector512<ulong> key1 = Vector512.Create((ulong)k1);
            Vector512<ulong> p0 = Product(a0, m0);
            Vector512<ulong> p1 = Product(a2, m1);
            Vector512<ulong> q0 = Product(b0, m0);
            Vector512<ulong> q1 = Product(b2, m1);
            a0 = (p1 >>> 32) ^ a1 ^ key0;
            b0 = (q1 >>> 32) ^ b1 ^ key0;
            a2 = (p0 >>> 32) ^ a3 ^ key1;
            b2 = (q0 >>> 32) ^ b3 ^ key1;
            a1 = p1;
            b1 = q1;
            a3 = p0;
            b3 = q0;
            k0 += Weyl0;
            k1 += Weyl1;
        }

        Interleave(a0, a1, a2, a3, out w0, out w1);
        Interleave(b0, b1, b2, b3, out w2, out w3);
    }

    /// <summary>Low halves times a constant below 2^32, all 64 bits of the product.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ulong> Product(Vector512<ulong> x, Vector512<ulong> multiplier)
    {
        // Integer products are exact, so the narrower instructions change the speed and nothing else.
        if (Avx512F.IsSupported)
        {
            return Avx512F.Multiply(x.AsUInt32(), multiplier.AsUInt32());
        }

        if (Avx2.IsSupported)
        {
            return Vector512.Create(
                Avx2.Multiply(x.GetLower().AsUInt32(), multiplier.GetLower().AsUInt32()),
                Avx2.Multiply(x.GetUpper().AsUInt32(), multiplier.GetUpper().AsUInt32()));
        }

        return (x & Vector512.Create(0xFFFFFFFFUL)) * multiplier;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Interleave(Vector512<ulong> x0, Vector512<ulong> x1, Vector512<ulong> x2, Vector512<ulong> x3, out Vector512<uint> first,
        out Vector512<uint> second)
    {
        Vector512<ulong> low = Vector512.Create(0xFFFFFFFFUL);
        Vector512<ulong> odd = Vector512.Create(0UL, ulong.MaxValue, 0, ulong.MaxValue, 0, ulong.MaxValue, 0, ulong.MaxValue);
        Vector512<ulong> a = (x0 & low) | (x1 << 32);
        Vector512<ulong> b = (x2 & low) | (x3 << 32);
        first = Vector512.ConditionalSelect(odd, Vector512.Shuffle(b, Vector512.Create(0UL, 0, 2, 2, 4, 4, 6, 6)), a).AsUInt32();
        second = Vector512.ConditionalSelect(odd, b, Vector512.Shuffle(a, Vector512.Create(1UL, 1, 3, 3, 5, 5, 7, 7))).AsUInt32();
    }
}
