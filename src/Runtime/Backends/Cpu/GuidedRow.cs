using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using CoGrpo.Runtime.Randomness;

namespace CoGrpo.Runtime.Backends.Cpu;

/// <summary>
/// The arithmetic of one row of guided logits, shared by every operation that needs it, so that a log-probability has the same bits no matter
/// which operation, and which backend, computed it. A row is taken in chunks of 128 codes: maximum, sum and draw of a chunk first, then of
/// the row, which is what lets a device work on the chunks of a row at once (kernels/guidedrow.cuh does the same in the same order).
/// Exponents are taken as (z - max)/τ: the difference is formed before the temperature magnifies it, which keeps its rounding error
/// relative to the difference and rules out overflow. Rows live in scratch memory, padded with -∞ to whole chunks.
/// </summary>
internal readonly unsafe ref struct GuidedRow
{
    /// <summary>Codes of a chunk.</summary>
    public const int Chunk = 128;

    private readonly float* _z;
    private readonly float* _tops;
    private readonly float* _sums;
    private readonly int _chunks;

    /// <summary>The row u + s(c - u), or c when <paramref name="u"/> is null or s is 1.</summary>
    /// <param name="c">Conditional logits.</param>
    /// <param name="u">Unconditional logits, or null.</param>
    /// <param name="s">Guidance scale.</param>
    /// <param name="codes">V.</param>
    /// <param name="scratch">Room for <see cref="ScratchFloats"/> elements.</param>
    public GuidedRow(float* c, float* u, float s, int codes, float* scratch)
    {
        int padded = Padded(codes);
        _chunks = padded / Chunk;
        _z = scratch;
        _tops = scratch + padded;
        _sums = _tops + Padded(_chunks);
        Guide(c, s == 1f ? null : u, s, codes, padded);
        float max = float.NegativeInfinity;
        for (int k = 0; k < _chunks; k++)
        {
            Vector512<float> top = Vector512.Load(_z + (k * Chunk));
            for (int i = 16; i < Chunk; i += 16)
            {
                top = Vector512.Max(top, Vector512.Load(_z + (k * Chunk) + i));
            }

            _tops[k] = Lanes.MaxOrNaN(top);
            max = MathF.Max(max, _tops[k]);
        }

        Max = max;
    }

    /// <summary>Largest logit.</summary>
    public float Max { get; }

    /// <summary>The logits, padded with -∞; <see cref="Exponentiate"/> overwrites them.</summary>
    public float* Logits => _z;

    /// <summary>Elements of scratch memory for a row of <paramref name="codes"/>.</summary>
    public static int ScratchFloats(int codes) => Padded(codes) + (2 * Padded(Padded(codes) / Chunk));

    /// <summary>The number of codes with padding.</summary>
    public static int Padded(int codes) => (codes + Chunk - 1) / Chunk * Chunk;

    /// <summary>log softmax(z/τ) of a code from its logit and <see cref="LogSum"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float LogProb(float z, float inverseTemperature, float logSum) => ((z - Max) * inverseTemperature) - logSum;

    /// <summary>log Σ exp((z - max)·<paramref name="inverseTemperature"/>); add max/τ for the log-sum-exp of z/τ.</summary>
    public float LogSum(float inverseTemperature)
    {
        Vector512<float> inverse = Vector512.Create(inverseTemperature);
        for (int k = 0; k < _chunks; k++)
        {
            float* z = _z + (k * Chunk);
            Vector512<float> top = Vector512.Create(_tops[k]);
            _sums[k] = Sum(
                SimdMath.Exp((Vector512.Load(z) - top) * inverse), SimdMath.Exp((Vector512.Load(z + 16) - top) * inverse),
                SimdMath.Exp((Vector512.Load(z + 32) - top) * inverse), SimdMath.Exp((Vector512.Load(z + 48) - top) * inverse),
                SimdMath.Exp((Vector512.Load(z + 64) - top) * inverse), SimdMath.Exp((Vector512.Load(z + 80) - top) * inverse),
                SimdMath.Exp((Vector512.Load(z + 96) - top) * inverse), SimdMath.Exp((Vector512.Load(z + 112) - top) * inverse));
        }

        // To the maximum of the whole row. A chunk of nothing but -∞ has no share, where the formula would give NaN.
        for (int k = 0; k < _chunks; k++)
        {
            float share = SimdMath.Exp(Vector512.Create((_tops[k] - Max) * inverseTemperature)).ToScalar();
            _sums[k] = _tops[k] == float.NegativeInfinity ? 0 : _sums[k] * share;
        }

        return SimdMath.Log(Vector512.Create(RowSum(_sums, _chunks))).ToScalar();
    }

    /// <summary>
    /// A draw from softmax(z/τ): within each chunk the code of largest (z - top)/τ + Gumbel, then the chunk whose code has the largest
    /// (z - max)/τ + Gumbel; the lower code of equal ones.
    /// </summary>
    /// <param name="inverseTemperature">1/τ.</param>
    /// <param name="key">Philox key.</param>
    /// <param name="position">Second counter word.</param>
    /// <param name="step">Third counter word.</param>
    /// <param name="trajectory">Fourth counter word.</param>
    public int Draw(float inverseTemperature, ulong key, uint position, uint step, uint trajectory)
    {
        // Noise lies in [-2.82, 16.64] and the largest logit alone scores at least -2.82, so a chunk this far below it cannot win:
        // peaked rows skip most of the noise and draw the same code.
        const float Hopeless = -20f;
        float best = float.NegativeInfinity;
        int code = 0;
        for (int k = 0; k < _chunks; k++)
        {
            float top = _tops[k];
            if ((top - Max) * inverseTemperature <= Hopeless)
            {
                continue;
            }

            int winner = DrawChunk(k, inverseTemperature, key, position, step, trajectory, out float noise);
            float score = ((_z[winner] - Max) * inverseTemperature) + noise;
            if (score > best)
            {
                (best, code) = (score, winner);
            }
        }

        return code;
    }

    /// <summary>Entropy of softmax(z/τ) in nats: logSum - Σ p·(z - max)/τ.</summary>
    public float Entropy(float inverseTemperature, float logSum)
    {
        Vector512<float> top = Vector512.Create(Max);
        Vector512<float> inverse = Vector512.Create(inverseTemperature);
        Vector512<float> shift = Vector512.Create(logSum);
        for (int k = 0; k < _chunks; k++)
        {
            float* z = _z + (k * Chunk);
            _sums[k] = Sum(
                EntropyTerm(z, top, inverse, shift), EntropyTerm(z + 16, top, inverse, shift), EntropyTerm(z + 32, top, inverse, shift),
                EntropyTerm(z + 48, top, inverse, shift), EntropyTerm(z + 64, top, inverse, shift), EntropyTerm(z + 80, top, inverse, shift),
                EntropyTerm(z + 96, top, inverse, shift), EntropyTerm(z + 112, top, inverse, shift));
        }

        return logSum - RowSum(_sums, _chunks);
    }

    /// <summary>Replaces the logits by exp((z - max)·<paramref name="inverseTemperature"/>); the padding becomes 0.</summary>
    public void Exponentiate(float inverseTemperature)
    {
        Vector512<float> top = Vector512.Create(Max);
        Vector512<float> inverse = Vector512.Create(inverseTemperature);
        for (int v = 0; v < _chunks * Chunk; v += 16)
        {
            SimdMath.Exp((Vector512.Load(_z + v) - top) * inverse).Store(_z + v);
        }
    }

    /// <summary>Sum of what stands in <see cref="Logits"/>.</summary>
    public float Sum() => RowSum(_z, _chunks * Chunk);

    /// <summary>p·y with y = (z - max)/τ and p = exp(y - logSum).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> EntropyTerm(float* z, Vector512<float> top, Vector512<float> inverse, Vector512<float> shift)
    {
        // Far below the maximum the probability is 0; the bound keeps 0·(-∞) of the padding from becoming NaN.
        Vector512<float> y = Vector512.Max((Vector512.Load(z) - top) * inverse, Vector512.Create(-200f));
        return SimdMath.Exp(y - shift) * y;
    }

    /// <summary>Sum of a run: each 128 elements as a tree, the trees in order. What is beyond the run counts as 0.</summary>
    private static float RowSum(float* x, int count)
    {
        for (int i = count; i < Padded(count); i++)
        {
            x[i] = 0;
        }

        float sum = 0;
        for (int i = 0; i < count; i += Chunk)
        {
            sum += Sum(
                Vector512.Load(x + i),
                Vector512.Load(x + i + 16),
                Vector512.Load(x + i + 32),
                Vector512.Load(x + i + 48),
                Vector512.Load(x + i + 64),
                Vector512.Load(x + i + 80),
                Vector512.Load(x + i + 96),
                Vector512.Load(x + i + 112)
            );
        }

        return sum;
    }

    /// <summary>The tree over the 128 elements of a chunk: element i of one vector meets element i of the next but one, then halves meet.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Sum(
        Vector512<float> e0,
        Vector512<float> e1,
        Vector512<float> e2,
        Vector512<float> e3,
        Vector512<float> e4,
        Vector512<float> e5,
        Vector512<float> e6,
        Vector512<float> e7
    ) => Lanes.Sum(((e0 + e2) + (e4 + e6)) + ((e1 + e3) + (e5 + e7)));

    private int DrawChunk(int chunk, float inverseTemperature, ulong key, uint position, uint step, uint trajectory, out float noise)
    {
        Vector512<float> top = Vector512.Create(_tops[chunk]);
        Vector512<float> scale = Vector512.Create(inverseTemperature);
        Vector512<float> best = Vector512.Create(float.NegativeInfinity);
        Vector512<int> bestCode = Vector512<int>.Zero;
        Vector512<float> bestNoise = Vector512<float>.Zero;
        Vector512<int> lane = Vector512<int>.Indices;
        for (int v = chunk * Chunk; v < (chunk + 1) * Chunk; v += SimdPhilox.WordsPerCall)
        {
            SimdPhilox.Words64(
                key,
                (uint)v / 4,
                position,
                step,
                trajectory,
                out Vector512<uint> w0,
                out Vector512<uint> w1,
                out Vector512<uint> w2,
                out Vector512<uint> w3
            );
            Keep((Vector512.Load(_z + v) - top) * scale, Gumbel.FromBits(w0), lane + Vector512.Create(v), ref best, ref bestCode, ref bestNoise);
            Keep(
                (Vector512.Load(_z + v + 16) - top) * scale,
                Gumbel.FromBits(w1),
                lane + Vector512.Create(v + 16),
                ref best,
                ref bestCode,
                ref bestNoise
            );
            Keep(
                (Vector512.Load(_z + v + 32) - top) * scale,
                Gumbel.FromBits(w2),
                lane + Vector512.Create(v + 32),
                ref best,
                ref bestCode,
                ref bestNoise
            );
            Keep(
                (Vector512.Load(_z + v + 48) - top) * scale,
                Gumbel.FromBits(w3),
                lane + Vector512.Create(v + 48),
                ref best,
                ref bestCode,
                ref bestNoise
            );
        }

        (float score, int code) = (best[0], bestCode[0]);
        noise = bestNoise[0];
        for (int i = 1; i < 16; i++)
        {
            if (best[i] > score || (best[i] == score && bestCode[i] < code))
            {
                (score, code, noise) = (best[i], bestCode[i], bestNoise[i]);
            }
        }

        return code;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Keep(
        Vector512<float> y,
        Vector512<float> noise,
        Vector512<int> code,
        ref Vector512<float> best,
        ref Vector512<int> bestCode,
        ref Vector512<float> bestNoise
    )
    {
        Vector512<float> score = y + noise;
        Vector512<float> better = Vector512.GreaterThan(score, best);
        best = Vector512.ConditionalSelect(better, score, best);
        bestCode = Vector512.ConditionalSelect(better.AsInt32(), code, bestCode);
        bestNoise = Vector512.ConditionalSelect(better, noise, bestNoise);
    }

    private void Guide(float* c, float* u, float s, int codes, int padded)
    {
        Vector512<float> scale = Vector512.Create(s);
        int v = 0;
        for (; v + 16 <= codes; v += 16)
        {
            Vector512<float> guided = Vector512.Load(c + v);
            if (u != null)
            {
                Vector512<float> free = Vector512.Load(u + v);
                guided = Vector512.FusedMultiplyAdd(scale, guided - free, free);
            }

            guided.Store(_z + v);
        }

        for (; v < codes; v++)
        {
            _z[v] = u != null ? MathF.FusedMultiplyAdd(s, c[v] - u[v], u[v]) : c[v];
        }

        for (; v < padded; v++)
        {
            _z[v] = float.NegativeInfinity;
        }
    }
}
