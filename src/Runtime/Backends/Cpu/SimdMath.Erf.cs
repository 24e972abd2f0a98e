using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CoGrpo.Runtime.Backends.Cpu;

/// <summary>Sigmoid-shaped functions. Coefficients of erf: Chebyshev interpolation of erf(x)/x on [0,1] and of ln erfc on [1,4].</summary>
internal static partial class SimdMath
{
    /// <summary>tanh x within 1e-7 of the value; ±1 at ±∞; NaN stays NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Tanh(Vector512<float> x)
    {
        Vector512<float> magnitude = Vector512.Abs(x);
        Vector512<float> z = x * x;
        Vector512<float> p = Vector512.Create(-5.70498872745e-3f);
        p = Vector512.FusedMultiplyAdd(p, z, Vector512.Create(2.06390887954e-2f));
        p = Vector512.FusedMultiplyAdd(p, z, Vector512.Create(-5.37397155531e-2f));
        p = Vector512.FusedMultiplyAdd(p, z, Vector512.Create(1.33314422036e-1f));
        p = Vector512.FusedMultiplyAdd(p, z, Vector512.Create(-3.33332819422e-1f));
        Vector512<float> near = Vector512.FusedMultiplyAdd(p * z, x, x);
        Vector512<float> far = Vector512<float>.One - (Vector512.Create(2f) / (Exp(magnitude + magnitude) + Vector512<float>.One));
        return Vector512.ConditionalSelect(Vector512.LessThan(magnitude, Vector512.Create(0.625f)), near, WithSign(far, x));
    }

    /// <summary>erf x within 1e-7 absolute, and within 1e-7 relative for |x| &lt; 1; ±1 at ±∞; NaN stays NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Erf(Vector512<float> x)
    {
        Vector512<float> magnitude = Vector512.Abs(x);
        Vector512<float> z = x * x;
        Vector512<float> p = Vector512.Create(7.875874871388078e-05f);
        p = Vector512.FusedMultiplyAdd(p, z, Vector512.Create(-0.000801686430349946f));
        p = Vector512.FusedMultiplyAdd(p, z, Vector512.Create(0.005189087241888046f));
        p = Vector512.FusedMultiplyAdd(p, z, Vector512.Create(-0.02685421146452427f));
        p = Vector512.FusedMultiplyAdd(p, z, Vector512.Create(0.11283594369888306f));
        p = Vector512.FusedMultiplyAdd(p, z, Vector512.Create(-0.3761262595653534f));
        p = Vector512.FusedMultiplyAdd(p, z, Vector512.Create(0.12837916612625122f));
        Vector512<float> near = Vector512.FusedMultiplyAdd(p, x, x);

        // erfc falls below half an ulp of 1 before 4.
        Vector512<float> t = Vector512.Min(magnitude, Vector512.Create(4f));
        Vector512<float> q = Vector512.Create(1.6371513993362896e-06f);
        q = Vector512.FusedMultiplyAdd(q, t, Vector512.Create(-4.605804133461788e-05f));
        q = Vector512.FusedMultiplyAdd(q, t, Vector512.Create(0.0005968056502752006f));
        q = Vector512.FusedMultiplyAdd(q, t, Vector512.Create(-0.004759596195071936f));
        q = Vector512.FusedMultiplyAdd(q, t, Vector512.Create(0.026421135291457176f));
        q = Vector512.FusedMultiplyAdd(q, t, Vector512.Create(-0.11008008569478989f));
        q = Vector512.FusedMultiplyAdd(q, t, Vector512.Create(-0.6318260431289673f));
        q = Vector512.FusedMultiplyAdd(q, t, Vector512.Create(-1.1302334070205688f));
        q = Vector512.FusedMultiplyAdd(q, t, Vector512.Create(0.0003201380604878068f));
        Vector512<float> far = Vector512<float>.One - Exp(q);
        return Vector512.ConditionalSelect(Vector512.LessThan(magnitude, Vector512<float>.One), near, WithSign(far, x));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> WithSign(Vector512<float> magnitude, Vector512<float> sign) =>
        Vector512.ConditionalSelect(Vector512.Create(-0f), sign, magnitude);
}
