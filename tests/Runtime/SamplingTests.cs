using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Randomness;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Tests.Runtime;

/// <summary>Guided sampling: the law of the draws, the noise address, equal bits at any split, and agreement with the gather operation.</summary>
public class SamplingTests
{
    private const ulong Seed = 42;
    private const int Step = 3;

    [Theory]
    [InlineData(1f, 1f)]
    [InlineData(0.7f, 3f)]
    [InlineData(2.5f, 9f)]
    [InlineData(0.2f, 1.5f)]
    public void DrawsFollowTheTemperedGuidedSoftmax(float temperature, float guidance)
    {
        const int Codes = 37;
        const int Rows = 10000;
        const int Calls = 100;
        using SamplingScope scope = new(2);
        float[] c = SamplingScope.Normal(1, Codes, 0.6f);
        float[] u = SamplingScope.Normal(2, Codes, 0.6f);
        Tensor conditional = scope.Put(new Shape(Rows, Codes), Repeat(c, Rows));
        Tensor unconditional = scope.Put(new Shape(Rows, Codes), Repeat(u, Rows));
        const int Positions = 1000;
        GuidedRows rows = new()
        {
            Rows = scope.Put(Enumerable.Range(0, Rows).ToArray()),
            Codes = Positions,
            Actions = Actions(scope, Enumerable.Repeat((temperature, guidance), Rows / Positions)),
            Trajectories = scope.Put(Enumerable.Range(0, Rows / Positions).ToArray()),
            Tokens = scope.New(new Shape(Rows), ElementType.Int32),
            LogProb = scope.New(new Shape(Rows)),
            Confidence = scope.New(new Shape(Rows)),
        };
        NoiseAddress noise = scope.Noise(Seed, RandomStream.TokenSampling, 0);
        long[] seen = new long[Codes];
        for (int call = 0; call < Calls; call++)
        {
            scope.Backend.GuidedSample(conditional, unconditional, rows, noise with { Step = call });
            foreach (int token in scope.Ints(rows.Tokens))
            {
                seen[token]++;
            }
        }

        double[] p = Softmax([.. c.Zip(u, (a, b) => (b + ((double)guidance * (a - b))) / temperature)]);
        AssertChiSquare(seen, p, (long)Rows * Calls);
    }

    [Theory]
    [InlineData(431)]
    [InlineData(16)]
    [InlineData(3)]
    [InlineData(8192)]
    public void TheTokenIsTheArgMaxUnderTheDocumentedNoise(int codes)
    {
        const int Rows = 40;
        using SamplingScope scope = new();
        Case x = new(scope, Rows, codes, seed: 5);
        x.Sample(scope, 0, Rows);
        int[] tokens = x.TokensOf(scope);
        ulong key = Philox.Key(Seed, RandomStream.TokenSampling);
        int differing = 0;
        for (int r = 0; r < Rows; r++)
        {
            double best = double.NegativeInfinity;
            double second = best;
            int code = -1;
            for (int v = 0; v < codes; v++)
            {
                (uint w0, uint w1, uint w2, uint w3) = Philox.Block(
                    key,
                    (uint)v / 4,
                    (uint)x.PositionValues[r],
                    (uint)Step,
                    (uint)x.TrajectoryValues[r]
                );
                uint bits = (v % 4) switch
                {
                    0 => w0,
                    1 => w1,
                    2 => w2,
                    _ => w3,
                };
                double z = x.U[(r * codes) + v] + ((double)x.S[r] * (x.C[(r * codes) + v] - (double)x.U[(r * codes) + v]));
                double score = (z / x.Tau[r]) - Math.Log(-Math.Log(Philox.Uniform(bits)));
                if (score > best)
                {
                    (second, best, code) = (best, score, v);
                }
                else if (score > second)
                {
                    second = score;
                }
            }

            // fp32 may swap two codes only where fp64 sees them level.
            if (code != tokens[r])
            {
                differing++;
                Assert.True(best - second < 1e-3, $"row {r}: {tokens[r]} against {code} by {best - second}");
            }
        }

        Assert.InRange(differing, 0, 1);
    }

    [Fact]
    public void SameBitsAtAnyBatchSplitAndThreadCountAndAgain()
    {
        const int Rows = 96;
        (int[] Tokens, float[] LogProb, float[] Confidence)? first = null;
        foreach (int threads in (int[])[1, 2, 3])
        {
            foreach (int split in (int[])[Rows, 1, 7, 32])
            {
                using SamplingScope scope = new(threads);
                Case x = new(scope, Rows, 431, seed: 9);
                for (int start = 0; start < Rows; start += split)
                {
                    x.Sample(scope, start, Math.Min(split, Rows - start));
                }

                (int[] Tokens, float[] LogProb, float[] Confidence) got = (x.TokensOf(scope), x.LogProbOf(scope), x.ConfidenceOf(scope));
                first ??= got;
                Assert.Equal(first.Value.Tokens, got.Tokens);
                Assert.Equal(Bits(first.Value.LogProb), Bits(got.LogProb));
                Assert.Equal(Bits(first.Value.Confidence), Bits(got.Confidence));
            }
        }
    }

    [Theory]
    [InlineData(431)]
    [InlineData(8192)]
    [InlineData(5)]
    public void LogProbIsBitEqualToTheGather(int codes)
    {
        const int Rows = 64;
        using SamplingScope scope = new(2);
        Case x = new(scope, Rows, codes, seed: 11);
        x.Sample(scope, 0, Rows);
        float[] sampled = x.LogProbOf(scope);
        float[] sampledConfidence = x.ConfidenceOf(scope);
        Tensor tokens = scope.Put(x.TokensOf(scope));
        Tensor gathered = scope.New(new Shape(Rows));
        Tensor gatheredConfidence = scope.New(new Shape(Rows));
        for (int start = 0; start < Rows; start += 24)
        {
            int n = Math.Min(24, Rows - start);
            scope.Backend.LogProbGather(
                x.Conditional.RowRange(start, n),
                x.Unconditional.RowRange(start, n),
                Part(x.Guidance, start, n),
                Part(x.Temperature, start, n),
                Part(tokens, start, n),
                Part(gathered, start, n),
                Part(gatheredConfidence, start, n),
                default,
                default
            );
        }

        Assert.Equal(Bits(sampled), Bits(scope.Floats(gathered)));
        Assert.Equal(Bits(sampledConfidence), Bits(scope.Floats(gatheredConfidence)));
        Assert.All(sampled, l => Assert.True(float.IsFinite(l) && l <= 1e-6f));
    }

    [Fact]
    public void ColdAndStronglyGuidedRowsStayFinite()
    {
        const int Rows = 32;
        const int Codes = 431;
        using SamplingScope scope = new();
        Tensor conditional = scope.Put(new Shape(Rows, Codes), SamplingScope.Normal(3, Rows * Codes, 40f));
        Tensor unconditional = scope.Put(new Shape(Rows, Codes), SamplingScope.Normal(4, Rows * Codes, 40f));
        GuidedRows rows = new()
        {
            Rows = scope.Put(Enumerable.Range(0, Rows).ToArray()),
            Codes = Rows,
            Actions = Actions(scope, [(0.05f, 30f)]),
            Trajectories = scope.Put([7]),
            Tokens = scope.New(new Shape(Rows), ElementType.Int32),
            LogProb = scope.New(new Shape(Rows)),
            Confidence = scope.New(new Shape(Rows)),
        };
        scope.Backend.GuidedSample(conditional, unconditional, rows, scope.Noise(Seed, RandomStream.TokenSampling, Step));
        Assert.All(scope.Floats(rows.LogProb), x => Assert.True(float.IsFinite(x)));
        Assert.All(scope.Floats(rows.Confidence), x => Assert.True(float.IsFinite(x)));
        Assert.All(scope.Ints(rows.Tokens), x => Assert.InRange(x, 0, Codes - 1));
    }

    [Fact]
    public void GuidanceOneAndNoUnconditionalRowAreTheConditionalLogits()
    {
        const int Rows = 20;
        using SamplingScope scope = new();
        Case x = new(scope, Rows, 431, seed: 13);
        GuidedRows plain = x.All with { Actions = Actions(scope, x.Tau.Select(tau => (tau, 1f))) };
        scope.Backend.GuidedSample(x.Conditional, x.Unconditional, plain, x.Noise);
        (int[] tokens, int[] logProb) = (x.TokensOf(scope), Bits(x.LogProbOf(scope)));
        scope.Backend.GuidedSample(x.Conditional, default, x.All, x.Noise);
        Assert.Equal(tokens, x.TokensOf(scope));
        Assert.Equal(logProb, Bits(x.LogProbOf(scope)));
    }

    [Fact]
    public void RowsMayStandElsewhereAndOnlyLiveOnesAreDrawn()
    {
        const int Rows = 30;
        using SamplingScope scope = new(2);
        Case x = new(scope, Rows, 200, seed: 17);
        x.Sample(scope, 0, Rows);
        (int[] tokens, int[] logProb) = (x.TokensOf(scope), Bits(x.LogProbOf(scope)));
        int[] at = new int[Rows * Case.Positions];
        for (int r = 0; r < Rows; r++)
        {
            at[(r * Case.Positions) + x.PositionValues[r]] = Rows - 1 - r;
        }

        float[] reversed = [.. Enumerable.Range(0, Rows).SelectMany(r => x.C.AsSpan((Rows - 1 - r) * 200, 200).ToArray())];
        Tensor count = scope.Put([Rows - 7]);
        scope.Backend.Upload<int>(new int[Rows * Case.Positions], x.All.Tokens);
        scope.Backend.GuidedSample(
            scope.Put(new Shape(Rows, 200), reversed),
            x.Unconditional,
            x.All with
            {
                ConditionalAt = scope.Put(at),
                Rows = x.All.Rows.WithLiveRows(count),
            },
            x.Noise
        );
        Assert.Equal([.. tokens[..^7], .. new int[7]], x.TokensOf(scope));
        Assert.Equal(logProb, Bits(x.LogProbOf(scope)));
    }

    [Theory]
    [InlineData(64, 431, 700)]
    [InlineData(33, 130, 5)]
    public void HeadSampleIsLinearAndGuidedSample(int width, int codes, int rows)
    {
        using SamplingScope scope = new(2);
        Case x = new(scope, rows, codes, seed: 19);
        Tensor hidden = scope.Put(new Shape(rows, width), SamplingScope.Normal(1, rows * width, 0.3f));
        Tensor other = scope.Put(new Shape(rows, width), SamplingScope.Normal(2, rows * width, 0.3f));
        Tensor head = scope.Put(new Shape(codes, width), SamplingScope.Normal(3, codes * width, 1f));
        scope.Backend.Linear(hidden, head, default, x.Conditional);
        scope.Backend.Linear(other, head, default, x.Unconditional);
        x.Sample(scope, 0, rows);
        (int[] tokens, int[] logProb, int[] confidence) = (x.TokensOf(scope), Bits(x.LogProbOf(scope)), Bits(x.ConfidenceOf(scope)));
        scope.Backend.Upload<int>(new int[rows * Case.Positions], x.All.Tokens);
        scope.Backend.HeadSample(hidden, other, head, x.All, x.Noise);
        Assert.Equal(tokens, x.TokensOf(scope));
        Assert.Equal(logProb, Bits(x.LogProbOf(scope)));
        Assert.Equal(confidence, Bits(x.ConfidenceOf(scope)));
    }

    [Fact]
    public void NotANumberIsReportedAndTheTokenStaysInRange()
    {
        const int Codes = 431;
        foreach (int place in (int[])[0, 200, 430])
        {
            using SamplingScope scope = new();
            Case x = new(scope, 2, Codes, seed: 21);
            float[] broken = (float[])x.C.Clone();
            broken[place] = float.NaN;
            scope.Backend.Upload<float>(broken, x.Conditional);
            x.Sample(scope, 0, 2);
            Assert.InRange(x.TokensOf(scope)[0], 0, Codes - 1);
            Assert.True(float.IsNaN(x.LogProbOf(scope)[0]));
            Assert.True(float.IsNaN(x.ConfidenceOf(scope)[0]));
            Assert.True(float.IsFinite(x.LogProbOf(scope)[1]));
        }
    }

    [Fact]
    public void NothingIsAllocatedAfterTheFirstCall()
    {
        const int Rows = 64;
        using SamplingScope scope = new(2);
        Case x = new(scope, Rows, 431, seed: 2);
        Shape board = new(4, 16);
        Tensor tokens = scope.Put(new int[Rows]);
        Tensor logProb = scope.New(new Shape(Rows));
        Tensor entropy = scope.New(new Shape(Rows));
        RemaskOperands remask = new()
        {
            Canvas = scope.Put(board, new int[Rows]),
            Candidates = scope.Put(board, new int[Rows]),
            Confidence = scope.Put(board, new float[Rows]),
            LogProb = scope.Put(board, new float[Rows]),
            Actions = scope.Put(new Shape(4, 4), [.. Enumerable.Repeat(0.5, 16)]),
            StartShare = scope.Put(new Shape(4), [.. Enumerable.Repeat(1.0, 4)]),
            Trajectories = scope.Put([1, 2, 3, 4]),
            DecodedStep = scope.New(board, ElementType.Int32),
            DecodedLogProb = scope.New(board),
        };
        AdamWOperands adam = new()
        {
            Parameter = logProb,
            Gradient = entropy,
            FirstMoment = x.Guidance,
            SecondMoment = x.Temperature,
            SquaredNorm = scope.Put(new Shape(1), [1.0]),
        };
        AdamWStep step = new(1e-3, 0.9, 0.95, 1e-8, 0.02, 1);
        for (int call = 0; call < 2; call++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            x.Sample(scope, 0, Rows);
            scope.Backend.LogProbGather(x.Conditional, x.Unconditional, x.Guidance, x.Temperature, tokens, logProb, default, entropy, default);
            scope.Backend.Remask(remask, x.Noise, 8, CountRule.Double, 0);
            scope.Backend.LogProbGatherBackward(
                logProb,
                x.Conditional,
                x.Unconditional,
                x.Guidance,
                x.Temperature,
                tokens,
                default,
                x.Conditional,
                x.Unconditional
            );
            scope.Backend.AdamW(adam, step);
            scope.Backend.SquaredNorm(x.Conditional, adam.SquaredNorm);
            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.True(call == 0 || allocated == 0, $"{allocated} bytes");
        }
    }

    [Fact]
    public void WrongShapesAreNamed()
    {
        using SamplingScope scope = new();
        Case x = new(scope, 4, 16, seed: 1);
        Tensor five = scope.New(new Shape(5));
        TensorException error = Assert.Throws<TensorException>(() =>
            scope.Backend.GuidedSample(x.Conditional, x.Unconditional, x.All with { Confidence = five }, x.Noise)
        );
        Assert.StartsWith("rows.Confidence: wanted 256", error.Message, StringComparison.Ordinal);
        error = Assert.Throws<TensorException>(() => scope.Backend.GuidedSample(x.Conditional.RowRange(0, 3), x.Unconditional, x.All, x.Noise));
        Assert.StartsWith("conditional: wanted", error.Message, StringComparison.Ordinal);
    }

    private static void AssertChiSquare(long[] seen, double[] p, long draws)
    {
        double statistic = 0;
        int cells = 0;
        double restExpected = 0;
        double restSeen = 0;
        for (int v = 0; v < p.Length; v++)
        {
            double expected = p[v] * draws;
            if (expected < 10)
            {
                restExpected += expected;
                restSeen += seen[v];
                continue;
            }

            statistic += (seen[v] - expected) * (seen[v] - expected) / expected;
            cells++;
        }

        if (restExpected >= 5)
        {
            statistic += (restSeen - restExpected) * (restSeen - restExpected) / restExpected;
            cells++;
        }

        // Wilson-Hilferty: 4 standard deviations of the cube root, about 3e-5 of correct samplers fail.
        double freedom = cells - 1;
        double normal = (Math.Cbrt(statistic / freedom) - (1 - (2 / (9 * freedom)))) / Math.Sqrt(2 / (9 * freedom));
        Assert.True(Math.Abs(normal) < 4, $"chi-square {statistic} with {freedom} degrees of freedom, {normal} standard deviations");
    }

    private static double[] Softmax(double[] z)
    {
        double max = z.Max();
        double sum = z.Sum(x => Math.Exp(x - max));
        return [.. z.Select(x => Math.Exp(x - max) / sum)];
    }

    private static float[] Repeat(float[] row, int times)
    {
        float[] all = new float[row.Length * times];
        for (int i = 0; i < times; i++)
        {
            row.CopyTo(all, i * row.Length);
        }

        return all;
    }

    private static Tensor Actions(SamplingScope scope, IEnumerable<(float Temperature, float Guidance)> images)
    {
        double[] values = [.. images.SelectMany(a => (double[])[0, a.Temperature, 0, a.Guidance])];
        return scope.Put(new Shape(values.Length / 4, 4), values);
    }

    private static Tensor Part(Tensor vector, int start, int count) => vector.ColumnRange(start, count);

    private static int[] Bits(float[] values) => Array.ConvertAll(values, BitConverter.SingleToInt32Bits);

    /// <summary>Random rows with mixed temperatures (1 included) and guidances; each row is an image of its own with one position.</summary>
    private sealed class Case
    {
        public const int Positions = 64;

        public Case(SamplingScope scope, int rows, int codes, int seed)
        {
            Random random = new(seed);
            C = SamplingScope.Normal(seed, rows * codes, 2f);
            U = SamplingScope.Normal(seed + 1000, rows * codes, 2f);
            S = [.. Enumerable.Range(0, rows).Select(_ => 1f + (6f * random.NextSingle()))];
            Tau = [.. Enumerable.Range(0, rows).Select(r => r % 3 == 0 ? 1f : 0.05f + (3f * random.NextSingle()))];
            PositionValues = [.. Enumerable.Range(0, rows).Select(r => r % Positions)];
            TrajectoryValues = [.. Enumerable.Range(0, rows).Select(r => 1000 + (r / 64))];
            Conditional = scope.Put(new Shape(rows, codes), C);
            Unconditional = scope.Put(new Shape(rows, codes), U);
            Guidance = scope.Put(S);
            Temperature = scope.Put(Tau);
            Noise = scope.Noise(Seed, RandomStream.TokenSampling, Step);
            All = new GuidedRows
            {
                Rows = scope.Put([.. Enumerable.Range(0, rows).Select(r => (r * Positions) + PositionValues[r])]),
                Codes = Positions,
                Actions = Actions(scope, Tau.Zip(S)),
                Trajectories = scope.Put(TrajectoryValues),
                Tokens = scope.New(new Shape(rows * Positions), ElementType.Int32),
                LogProb = scope.New(new Shape(rows * Positions)),
                Confidence = scope.New(new Shape(rows * Positions)),
            };
        }

        public float[] C { get; }

        public float[] U { get; }

        public float[] S { get; }

        public float[] Tau { get; }

        public int[] PositionValues { get; }

        public int[] TrajectoryValues { get; }

        public Tensor Conditional { get; }

        public Tensor Unconditional { get; }

        public Tensor Guidance { get; }

        public Tensor Temperature { get; }

        public NoiseAddress Noise { get; }

        public GuidedRows All { get; }

        public void Sample(SamplingScope scope, int start, int n) =>
            scope.Backend.GuidedSample(
                Conditional.RowRange(start, n),
                Unconditional.RowRange(start, n),
                All with
                {
                    Rows = Part(All.Rows, start, n),
                },
                Noise
            );

        public int[] TokensOf(SamplingScope scope) => AtPlaces(scope.Ints(All.Tokens));

        public float[] LogProbOf(SamplingScope scope) => AtPlaces(scope.Floats(All.LogProb));

        public float[] ConfidenceOf(SamplingScope scope) => AtPlaces(scope.Floats(All.Confidence));

        private T[] AtPlaces<T>(T[] all) => [.. PositionValues.Select((position, r) => all[(r * Positions) + position])];
    }
}
