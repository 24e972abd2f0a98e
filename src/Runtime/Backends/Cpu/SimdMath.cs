using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CoGrpo.Runtime.Backends.Cpu;

/// <summary>
/// Elementary functions on 16 lanes. Written on <see cref="Vector512{T}"/> only: the JIT splits it in halves where the machine has narrower
/// vectors, and as each lane sees the same operations the results have the same bits everywhere. Coefficients: minimax polynomials of Cephes (S.
/// Moshier).
/// </summary>
internal static partial class SimdMath
{
    /// <summary>e^x within about 1 ulp; 0 below -87.33, +∞ above 88.37; NaN stays NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Exp(Vector512<float> x)
    {
        Vector512<float> clamped = Vector512.Min(Vector512.Max(x, Vector512.Create(-88f)), Vector512.Create(89f));
        Vector512<float> n = Vector512.Round(clamped * Vector512.Create(1.44269504088896341f));
        Vector512<float> r = Vector512.FusedMultiplyAdd(n, Vector512.Create(-0.693359375f), clamped);
        r = Vector512.FusedMultiplyAdd(n, Vector512.Create(2.12194440e-4f), r);
        Vector512<float> p = Vector512.Create(1.9875691500e-4f);
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(1.3981999507e-3f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(8.3334519073e-3f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(4.1665795894e-2f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(1.6666665459e-1f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(5.0000001201e-1f));
        p = Vector512.FusedMultiplyAdd(p, r * r, r + Vector512<float>.One);
        Vector512<int> exponent = (Vector512.ConvertToInt32(n) + Vector512.Create(127)) << 23;
        return p * exponent.AsSingle();
    }

    /// <summary>ln x within about 1 ulp for positive normal x; other arguments are the caller's mistake.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Log(Vector512<float> x)
    {
        Vector512<int> bits = x.AsInt32();

        // Shift the mantissa to [sqrt(1/2), sqrt(2)): subtracting the bits of sqrt(1/2) first makes the exponent field carry at the right place.
        Vector512<int> offset = bits - Vector512.Create(0x3F3504F3);
        Vector512<float> e = Vector512.ConvertToSingle(offset >> 23);
        Vector512<float> m = ((offset & Vector512.Create(0x007FFFFF)) + Vector512.Create(0x3F3504F3)).AsSingle() - Vector512<float>.One;
        Vector512<float> z = m * m;
        Vector512<float> p = Vector512.Create(7.0376836292e-2f);
        p = Vector512.FusedMultiplyAdd(p, m, Vector512.Create(-1.1514610310e-1f));
        p = Vector512.FusedMultiplyAdd(p, m, Vector512.Create(1.1676998740e-1f));
        p = Vector512.FusedMultiplyAdd(p, m, Vector512.Create(-1.2420140846e-1f));
        p = Vector512.FusedMultiplyAdd(p, m, Vector512.Create(1.4249322787e-1f));
        p = Vector512.FusedMultiplyAdd(p, m, Vector512.Create(-1.6668057665e-1f));
        p = Vector512.FusedMultiplyAdd(p, m, Vector512.Create(2.0000714765e-1f));
        p = Vector512.FusedMultiplyAdd(p, m, Vector512.Create(-2.4999993993e-1f));
        p = Vector512.FusedMultiplyAdd(p, m, Vector512.Create(3.3333331174e-1f));
        Vector512<float> y = p * m * z;
        y = Vector512.FusedMultiplyAdd(e, Vector512.Create(-2.12194440e-4f), y);
        y = Vector512.FusedMultiplyAdd(z, Vector512.Create(-0.5f), y);
        return Vector512.FusedMultiplyAdd(e, Vector512.Create(0.693359375f), m + y);
    }
}
