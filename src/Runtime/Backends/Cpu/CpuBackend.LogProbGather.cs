using System.Runtime.Intrinsics;

namespace CoGrpo.Runtime.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc cref="IBackend.LogProbGather"/>
    public void LogProbGather(
        Tensor conditional,
        Tensor unconditional,
        Tensor guidance,
        Tensor temperature,
        Tensor tokens,
        Tensor logProb,
        Tensor confidence,
        Tensor entropy,
        Tensor logSumExp
    )
    {
        int rows = Require.GatheredRows(conditional, unconditional, guidance, temperature, tokens);
        Require.Count(logProb, rows);
        Require.OptionalCount(confidence, rows);
        Require.OptionalCount(entropy, rows);
        Require.OptionalCount(logSumExp, rows);
        nint* scratch = stackalloc nint[_team.Count];
        WorkerScratch(scratch, (nuint)GuidedRow.ScratchFloats(conditional.Columns) * sizeof(float));
        LogProbGatherArguments a = new()
        {
            Scratch = scratch,
            Conditional = conditional,
            Unconditional = unconditional,
            Guidance = guidance.F32,
            Temperature = temperature.F32,
            Tokens = tokens.I32,
            LogProb = logProb.F32,
            Confidence = confidence.F32,
            Entropy = entropy.F32,
            LogSumExp = logSumExp.F32,
        };
        _team.For(rows, &LogProbGatherRows, &a, Math.Max(1, 16384 / conditional.Columns));
    }

    /// <inheritdoc cref="IBackend.LogProbGatherBackward"/>
    /// <remarks>
    /// The probabilities are formed against the row's own maximum, which costs one pass over a row that is in cache anyway and keeps them exact where
    /// z/τ is large; <paramref name="logSumExp"/> is checked and not read, and may be none.
    /// </remarks>
    public void LogProbGatherBackward(Tensor upstream, Tensor conditional, Tensor unconditional, Tensor guidance, Tensor temperature, Tensor tokens,
        Tensor logSumExp, Tensor dconditional, Tensor dunconditional)
    {
        int rows = Require.GatheredRows(conditional, unconditional, guidance, temperature, tokens);
        Require.Count(upstream, rows);
        Require.OptionalCount(logSumExp, rows);
        Require.Matrix(dconditional, rows, conditional.Columns);
        if (!dunconditional.IsNone)
        {
            Require.That(!unconditional.IsNone, nameof(dunconditional), dunconditional, "none, as there is no unconditional row");
            Require.Matrix(dunconditional, rows, conditional.Columns);
        }

        nint* scratch = stackalloc nint[_team.Count];
        WorkerScratch(scratch, (nuint)GuidedRow.ScratchFloats(conditional.Columns) * sizeof(float));
        LogProbGatherBackwardArguments a = new()
        {
            Scratch = scratch,
            Upstream = upstream.F32,
            Conditional = conditional,
            Unconditional = unconditional,
            Guidance = guidance.F32,
            Temperature = temperature.F32,
            Tokens = tokens.I32,
            DConditional = dconditional,
            DUnconditional = dunconditional,
        };
        _team.For(rows, &LogProbGatherBackwardRows, &a, Math.Max(1, 16384 / conditional.Columns));
    }

    private static void LogProbGatherRows(void* state, int start, int end, int worker)
    {
        LogProbGatherArguments* a = (LogProbGatherArguments*)state;
        float* scratch = (float*)a->Scratch[worker];
        for (int r = start; r < end; r++)
        {
            float* c = a->Conditional.F32 + ((long)r * a->Conditional.RowStride);
            float* u = a->Unconditional.IsNone ? null : a->Unconditional.F32 + ((long)r * a->Unconditional.RowStride);
            float inverse = 1f / a->Temperature[r];
            GuidedRow row = new(c, u, u == null ? 1f : a->Guidance[r], a->Conditional.Columns, scratch);
            float logSum = row.LogSum(inverse);
            float chosen = row.Logits[a->Tokens[r]];
            float logProb = row.LogProb(chosen, inverse, logSum);
            a->LogProb[r] = logProb;
            if (a->Confidence != null)
            {
                a->Confidence[r] = inverse == 1f ? logProb : row.LogProb(chosen, 1f, row.LogSum(1f));
            }

            if (a->Entropy != null)
            {
                a->Entropy[r] = row.Entropy(inverse, logSum);
            }

            if (a->LogSumExp != null)
            {
                a->LogSumExp[r] = MathF.FusedMultiplyAdd(row.Max, inverse, logSum);
            }
        }
    }

    private static void LogProbGatherBackwardRows(void* state, int start, int end, int worker)
    {
        LogProbGatherBackwardArguments* a = (LogProbGatherBackwardArguments*)state;
        float* scratch = (float*)a->Scratch[worker];
        int codes = a->Conditional.Columns;
        bool guided = !a->Unconditional.IsNone;
        for (int r = start; r < end; r++)
        {
            float* c = a->Conditional.F32 + ((long)r * a->Conditional.RowStride);
            float* u = guided ? a->Unconditional.F32 + ((long)r * a->Unconditional.RowStride) : null;
            float s = guided ? a->Guidance[r] : 1f;
            float inverse = 1f / a->Temperature[r];
            int token = a->Tokens[r];
            GuidedRow row = new(c, u, s, codes, scratch);
            row.Exponentiate(inverse);
            float* e = row.Logits;

            // 1 - p of the token as the mass of all others: no cancellation when the token is nearly certain.
            float own = e[token];
            e[token] = 0f;
            float others = row.Sum();
            float perMass = a->Upstream[r] * inverse / (others + own);
            WriteGatherGradient(e, others, token, perMass * s, codes, a->DConditional.F32 + ((long)r * a->DConditional.RowStride));
            if (!a->DUnconditional.IsNone)
            {
                WriteGatherGradient(e, others, token, perMass * (1f - s), codes, a->DUnconditional.F32 + ((long)r * a->DUnconditional.RowStride));
            }
        }
    }

    private static void WriteGatherGradient(float* e, float others, int token, float scale, int codes, float* d)
    {
        Vector512<float> minus = Vector512.Create(-scale);
        int v = 0;
        for (; v + 16 <= codes; v += 16)
        {
            (Vector512.Load(e + v) * minus).Store(d + v);
        }

        for (; v < codes; v++)
        {
            d[v] = e[v] * -scale;
        }

        d[token] = others * scale;
    }

    private struct LogProbGatherArguments
    {
        public nint* Scratch;
        public Tensor Conditional;
        public Tensor Unconditional;
        public float* Guidance;
        public float* Temperature;
        public int* Tokens;
        public float* LogProb;
        public float* Confidence;
        public float* Entropy;
        public float* LogSumExp;
    }

    private struct LogProbGatherBackwardArguments
    {
        public nint* Scratch;
        public float* Upstream;
        public Tensor Conditional;
        public Tensor Unconditional;
        public float* Guidance;
        public float* Temperature;
        public int* Tokens;
        public Tensor DConditional;
        public Tensor DUnconditional;
    }
}
