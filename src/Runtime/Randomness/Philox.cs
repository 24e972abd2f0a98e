using System.Runtime.CompilerServices;

namespace CoGrpo.Runtime.Randomness;

/// <summary>
/// Philox4x32-10 (Salmon et al., SC 2011): a counter-based generator. Every number is addressed by (seed, stream, four counter words), so
/// it is the same on every backend, at any batch split and thread count, and nothing but the seed has to be stored to resume.
/// </summary>
public static class Philox
{
    private const uint Multiplier0 = 0xD2511F53;
    private const uint Multiplier1 = 0xCD9E8D57;
    private const uint Weyl0 = 0x9E3779B9;
    private const uint Weyl1 = 0xBB67AE85;

    /// <summary>The 128-bit block at counter (c0,c1,c2,c3) under the 64-bit key, ten rounds.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (uint X0, uint X1, uint X2, uint X3) Block(ulong key, uint c0, uint c1, uint c2, uint c3)
    {
        uint k0 = (uint)key;
        uint k1 = (uint)(key >> 32);
        for (int round = 0; round < 10; round++)
        {
            ulong p0 = (ulong)Multiplier0 * c0;
            ulong p1 = (ulong)Multiplier1 * c2;
            (c0, c1, c2, c3) = ((uint)(p1 >> 32) ^ c1 ^ k0, (uint)p1, (uint)(p0 >> 32) ^ c3 ^ k1, (uint)p0);
            k0 += Weyl0;
            k1 += Weyl1;
        }

        return (c0, c1, c2, c3);
    }

    /// <summary>
    /// Key of a stream: the seed mixed with the stream number by the SplitMix64 finaliser, so that nearby seeds and streams give unrelated keys.
    /// </summary>
    public static ulong Key(ulong seed, RandomStream stream)
    {
        ulong z = seed + (0x9E3779B97F4A7C15UL * (1 + (ulong)stream));
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }

    /// <summary>A uniform in the open interval (0,1): (23 high bits + 1/2) / 2^23, exact in fp32.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Uniform(uint bits) => ((bits >> 9) + 0.5f) * (1f / 8388608f);
}
