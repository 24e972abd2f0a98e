using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using CoGrpo.Runtime.Randomness;

namespace CoGrpo.Runtime.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc cref="IBackend.GuidedSample"/>
    /// <remarks>Without an unconditional row <paramref name="guidance"/> is not read and may be none.</remarks>
    public void GuidedSample(Tensor conditional, Tensor unconditional, Tensor guidance, Tensor temperature, Tensor positions, Tensor trajectories,
        NoiseAddress noise, Tensor tokens, Tensor logProb, Tensor confidence)
    {
        int rows = RequireGuidedRows(conditional, unconditional, guidance, temperature, tokens);
        Require.Count(positions, rows, ElementType.Int32);
        Require.Count(trajectories, rows, ElementType.Int32);
        Require.Count(logProb, rows);
        Require.Count(confidence, rows);
        nint* scratch = stackalloc nint[_team.Count];
        WorkerScratch(scratch, (nuint)GuidedRow.Padded(conditional.Columns) * sizeof(float));
        GuidedSampleArguments a = new()
        {
            Scratch = scratch,
            Conditional = conditional,
            Unconditional = unconditional,
            Guidance = guidance.F32,
            Temperature = temperature.F32,
            Positions = positions.I32,
            Trajectories = trajectories.I32,
            Key = Philox.Key(noise.Seed, noise.Stream),
            Step = (uint)noise.Step,
            Tokens = tokens.I32,
            LogProb = logProb.F32,
            Confidence = confidence.F32,
        };
        _team.For(rows, &GuidedSampleRows, &a, Math.Max(1, 8192 / conditional.Columns));
    }

    private static void GuidedSampleRows(void* state, int start, int end, int worker)
    {
        GuidedSampleArguments* a = (GuidedSampleArguments*)state;
        float* z = (float*)a->Scratch[worker];
        int codes = a->Conditional.Columns;
        int padded = GuidedRow.Padded(codes);
        for (int r = start; r < end; r++)
        {
            float* c = a->Conditional.F32 + ((long)r * a->Conditional.RowStride);
            float* u = a->Unconditional.IsNone ? null : a->Unconditional.F32 + ((long)r * a->Unconditional.RowStride);
            float inverse = 1f / a->Temperature[r];
            float max = GuidedRow.Guide(c, u, u == null ? 1f : a->Guidance[r], codes, z);
            float logSum = GuidedRow.LogSum(z, max, inverse, padded);
            int token = GumbelArgMax(z, max, inverse, padded, a->Key, (uint)a->Positions[r], a->Step, (uint)a->Trajectories[r]);
            float logProb = GuidedRow.LogProb(z[token], max, inverse, logSum);
            a->Tokens[r] = token;
            a->LogProb[r] = logProb;

            // At temperature 1 both laws multiply by exactly 1: the same operations give the same bits.
            a->Confidence[r] = inverse == 1f ? logProb : GuidedRow.LogProb(z[token], max, 1f, GuidedRow.LogSum(z, max, 1f, padded));
        }
    }

    /// <summary>The lowest code of largest (z - max)/τ + Gumbel; the common shift by max changes no comparison.</summary>
    private static int GumbelArgMax(float* z, float max, float inverse, int padded, ulong key, uint position, uint step, uint trajectory)
    {
        // Noise lies in [-2.82, 16.64] and the largest logit alone scores at least -2.82, so codes this far below it cannot win:
        // peaked rows skip most of the noise and draw the same token.
        const float Hopeless = -20f;
        Vector512<float> top = Vector512.Create(max);
        Vector512<float> scale = Vector512.Create(inverse);
        Vector512<float> best = Vector512.Create(float.NegativeInfinity);
        Vector512<int> bestCode = Vector512<int>.Zero;
        Vector512<int> lane = Vector512<int>.Indices;
        for (int v = 0; v < padded; v += GuidedRow.Group)
        {
            Vector512<float> y0 = (Vector512.Load(z + v) - top) * scale;
            Vector512<float> y1 = (Vector512.Load(z + v + 16) - top) * scale;
            Vector512<float> y2 = (Vector512.Load(z + v + 32) - top) * scale;
            Vector512<float> y3 = (Vector512.Load(z + v + 48) - top) * scale;
            if (!Vector512.GreaterThanAny(Vector512.Max(Vector512.Max(y0, y1), Vector512.Max(y2, y3)), Vector512.Create(Hopeless)))
            {
                continue;
            }

            SimdPhilox.Words64(key, (uint)v / 4, position, step, trajectory, out Vector512<uint> w0, out Vector512<uint> w1, out Vector512<uint> w2,
                out Vector512<uint> w3);
            Keep(y0 + Gumbel.FromBits(w0), lane + Vector512.Create(v), ref best, ref bestCode);
            Keep(y1 + Gumbel.FromBits(w1), lane + Vector512.Create(v + 16), ref best, ref bestCode);
            Keep(y2 + Gumbel.FromBits(w2), lane + Vector512.Create(v + 32), ref best, ref bestCode);
            Keep(y3 + Gumbel.FromBits(w3), lane + Vector512.Create(v + 48), ref best, ref bestCode);
        }

        float score = best[0];
        int code = bestCode[0];
        for (int i = 1; i < 16; i++)
        {
            float other = best[i];
            int otherCode = bestCode[i];
            if (other > score || (other == score && otherCode < code))
            {
                score = other;
                code = otherCode;
            }
        }

        return code;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Keep(Vector512<float> score, Vector512<int> code, ref Vector512<float> best, ref Vector512<int> bestCode)
    {
        Vector512<float> better = Vector512.GreaterThan(score, best);
        best = Vector512.ConditionalSelect(better, score, best);
        bestCode = Vector512.ConditionalSelect(better.AsInt32(), code, bestCode);
    }

    private struct GuidedSampleArguments
    {
        public nint* Scratch;
        public Tensor Conditional;
        public Tensor Unconditional;
        public float* Guidance;
        public float* Temperature;
        public int* Positions;
        public int* Trajectories;
        public ulong Key;
        public uint Step;
        public int* Tokens;
        public float* LogProb;
        public float* Confidence;
    }
}
