using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CoGrpo.Runtime.Backends.Cpu;

/// <summary>
/// The pointwise functions on 16 lanes, shared by the separate operations and the epilogue of the matrix product so that both give the same bits.
/// </summary>
internal static class ActivationMath
{
    /// <summary>activation(x).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Value(Vector512<float> x, Activation activation) => activation switch
    {
        Activation.Silu => Silu(x),
        Activation.GeluTanh => GeluTanh(x),
        Activation.GeluErf => GeluErf(x),
        Activation.GeluQuick => GeluQuick(x),
        _ => x,
    };

    /// <summary>activation'(x).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Derivative(Vector512<float> x, Activation activation) => activation switch
    {
        Activation.Silu => SiluDerivative(x),
        Activation.GeluTanh => GeluTanhDerivative(x),
        Activation.GeluErf => GeluErfDerivative(x),
        Activation.GeluQuick => GeluQuickDerivative(x),
        _ => Vector512<float>.One,
    };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Silu(Vector512<float> x) => x / (Vector512<float>.One + SimdMath.Exp(-x));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> SiluDerivative(Vector512<float> x)
    {
        x = Bounded(x, 88f);
        Vector512<float> e = SimdMath.Exp(-x);
        Vector512<float> s = Vector512<float>.One / (Vector512<float>.One + e);

        // 1 - s is e·s, which keeps its digits where s is close to 1.
        return Vector512.FusedMultiplyAdd(x * s, e * s, s);
    }

    /// <summary>0.5x(1 + tanh u) is x·sigmoid(2u), which has no cancellation on the negative side.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> GeluTanh(Vector512<float> x)
    {
        Vector512<float> twiceU = x * Vector512.FusedMultiplyAdd(x * x, Vector512.Create(0.0713548162726f), Vector512.Create(1.5957691216057308f));
        return x / (Vector512<float>.One + SimdMath.Exp(-twiceU));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> GeluTanhDerivative(Vector512<float> x)
    {
        x = Bounded(x, 10f);
        Vector512<float> square = x * x;
        Vector512<float> twiceU = x * Vector512.FusedMultiplyAdd(square, Vector512.Create(0.0713548162726f), Vector512.Create(1.5957691216057308f));
        Vector512<float> slope = Vector512.FusedMultiplyAdd(square, Vector512.Create(0.2140644488178f), Vector512.Create(1.5957691216057308f));
        Vector512<float> e = SimdMath.Exp(-twiceU);
        Vector512<float> s = Vector512<float>.One / (Vector512<float>.One + e);
        return Vector512.FusedMultiplyAdd(x * slope * s, e * s, s);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> GeluErf(Vector512<float> x) => x * NormalCdf(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> GeluErfDerivative(Vector512<float> x)
    {
        x = Bounded(x, 20f);
        Vector512<float> density = Vector512.Create(0.3989422804014327f) * SimdMath.Exp(x * x * Vector512.Create(-0.5f));
        return Vector512.FusedMultiplyAdd(x, density, NormalCdf(x));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> GeluQuick(Vector512<float> x) => x / (Vector512<float>.One + SimdMath.Exp(x * Vector512.Create(-1.702f)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> GeluQuickDerivative(Vector512<float> x)
    {
        x = Bounded(x, 50f);
        Vector512<float> z = x * Vector512.Create(1.702f);
        Vector512<float> e = SimdMath.Exp(-z);
        Vector512<float> s = Vector512<float>.One / (Vector512<float>.One + e);
        return Vector512.FusedMultiplyAdd(z * s, e * s, s);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> NormalCdf(Vector512<float> x) =>
        Vector512.FusedMultiplyAdd(Vector512.Create(0.5f), SimdMath.Erf(x * Vector512.Create(0.7071067811865476f)), Vector512.Create(0.5f));

    /// <summary>x within ±bound, beyond which a derivative is 0 or 1 to the last bit: infinity times zero cannot come up.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Bounded(Vector512<float> x, float bound) =>
        Vector512.Min(Vector512.Max(x, Vector512.Create(-bound)), Vector512.Create(bound));
}
