using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CoGrpo.Runtime.Backends.Cpu;

/// <summary>
/// The arithmetic of one row of guided logits, shared by every operation that needs it, so that a log-probability has the same bits no matter which
/// operation computed it. Rows live in scratch memory, padded with -∞ to a multiple of 64 codes. Exponents are taken as (z - max z)/τ:
/// the difference is formed before the temperature magnifies it, which keeps its rounding error relative to the difference and rules out overflow.
/// </summary>
internal static unsafe class GuidedRow
{
    /// <summary>Codes are processed in groups of this many.</summary>
    public const int Group = 64;

    /// <summary>The number of codes with padding.</summary>
    public static int Padded(int codes) => (codes + Group - 1) / Group * Group;

    /// <summary>Fills <paramref name="z"/> with u + s(c - u), or c when <paramref name="u"/> is null, and the padding with -∞; returns the largest z.</summary>
    public static float Guide(float* c, float* u, float s, int codes, float* z)
    {
        Vector512<float> scale = Vector512.Create(s);
        Vector512<float> max = Vector512.Create(float.NegativeInfinity);
        int v = 0;
        for (; v + 16 <= codes; v += 16)
        {
            Vector512<float> guided = Vector512.Load(c + v);
            if (u != null)
            {
                Vector512<float> free = Vector512.Load(u + v);
                guided = Vector512.FusedMultiplyAdd(scale, guided - free, free);
            }

            guided.Store(z + v);
            max = Vector512.Max(max, guided);
        }

        int padded = Padded(codes);
        int whole = v;
        for (; v < codes; v++)
        {
            z[v] = u != null ? MathF.FusedMultiplyAdd(s, c[v] - u[v], u[v]) : c[v];
        }

        for (; v < padded; v++)
        {
            z[v] = float.NegativeInfinity;
        }

        if (whole < padded)
        {
            max = Vector512.Max(max, Vector512.Load(z + whole));
        }

        return Lanes.MaxOrNaN(max);
    }

    /// <summary>log Σ exp((z - <paramref name="max"/>)·<paramref name="inverseTemperature"/>) over a padded row; add max/τ for the log-sum-exp of z/τ.</summary>
    public static float LogSum(float* z, float max, float inverseTemperature, int padded)
    {
        Vector512<float> top = Vector512.Create(max);
        Vector512<float> inverse = Vector512.Create(inverseTemperature);
        Vector512<float> s0 = Vector512<float>.Zero;
        Vector512<float> s1 = s0;
        Vector512<float> s2 = s0;
        Vector512<float> s3 = s0;
        for (int v = 0; v < padded; v += Group)
        {
            s0 += SimdMath.Exp((Vector512.Load(z + v) - top) * inverse);
            s1 += SimdMath.Exp((Vector512.Load(z + v + 16) - top) * inverse);
            s2 += SimdMath.Exp((Vector512.Load(z + v + 32) - top) * inverse);
            s3 += SimdMath.Exp((Vector512.Load(z + v + 48) - top) * inverse);
        }

        return SimdMath.Log(Vector512.Create(Lanes.Sum(s0 + s1 + (s2 + s3)))).ToScalar();
    }

    /// <summary>log softmax(z/τ) of the code with logit <paramref name="z"/>, from the row's maximum and <see cref="LogSum"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float LogProb(float z, float max, float inverseTemperature, float logSum) => ((z - max) * inverseTemperature) - logSum;

    /// <summary>Entropy of softmax(z/τ) in nats: logSum - Σ p·(z - max)/τ.</summary>
    public static float Entropy(float* z, float max, float inverseTemperature, float logSum, int padded)
    {
        Vector512<float> top = Vector512.Create(max);
        Vector512<float> inverse = Vector512.Create(inverseTemperature);
        Vector512<float> shift = Vector512.Create(logSum);

        // Far below the maximum the probability is 0; the bound keeps 0·(-∞) of the padding from becoming NaN.
        Vector512<float> least = Vector512.Create(-200f);
        Vector512<float> sum = Vector512<float>.Zero;
        for (int v = 0; v < padded; v += 16)
        {
            Vector512<float> y = Vector512.Max((Vector512.Load(z + v) - top) * inverse, least);
            sum = Vector512.FusedMultiplyAdd(SimdMath.Exp(y - shift), y, sum);
        }

        return logSum - Lanes.Sum(sum);
    }

    /// <summary>Replaces the padded row z by exp((z - <paramref name="max"/>)·<paramref name="inverseTemperature"/>); the padding becomes 0.</summary>
    public static void Exponentiate(float* z, float max, float inverseTemperature, int padded)
    {
        Vector512<float> top = Vector512.Create(max);
        Vector512<float> inverse = Vector512.Create(inverseTemperature);
        for (int v = 0; v < padded; v += 16)
        {
            SimdMath.Exp((Vector512.Load(z + v) - top) * inverse).Store(z + v);
        }
    }

    /// <summary>Sum of a padded row in the order of <see cref="LogSum"/>.</summary>
    public static float Sum(float* row, int padded)
    {
        Vector512<float> s0 = Vector512<float>.Zero;
        Vector512<float> s1 = s0;
        Vector512<float> s2 = s0;
        Vector512<float> s3 = s0;
        for (int v = 0; v < padded; v += Group)
        {
            s0 += Vector512.Load(row + v);
            s1 += Vector512.Load(row + v + 16);
            s2 += Vector512.Load(row + v + 32);
            s3 += Vector512.Load(row + v + 48);
        }

        return Lanes.Sum(s0 + s1 + (s2 + s3));
    }
}
