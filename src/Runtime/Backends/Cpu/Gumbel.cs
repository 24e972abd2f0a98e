using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CoGrpo.Runtime.Backends.Cpu;

/// <summary>Standard Gumbel noise from random words, the same law for token sampling and re-masking.</summary>
internal static class Gumbel
{
    /// <summary>-log(-log u) with u = <see cref="Randomness.Philox.Uniform"/> of each word; lies in [-2.82, 16.64].</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> FromBits(Vector512<uint> bits)
    {
        // 23 bits convert exactly as signed integers, and signed conversion exists everywhere.
        Vector512<float> uniform = (Vector512.ConvertToSingle((bits >>> 9).AsInt32()) + Vector512.Create(0.5f)) * Vector512.Create(1f / 8388608f);
        return -SimdMath.Log(-SimdMath.Log(uniform));
    }
}
