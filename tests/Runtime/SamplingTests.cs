using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Randomness;

namespace CoGrpo.Tests.Runtime;

/// <summary>Guided sampling: the law of the draws, the noise address, equal bits at any split, and agreement with the gather operation.</summary>
public class SamplingTests
{
    private static readonly NoiseAddress Noise = new(42, RandomStream.TokenSampling, 3);

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
        Tensor s = scope.Put(Repeat([guidance], Rows));
        Tensor tau = scope.Put(Repeat([temperature], Rows));
        Tensor positions = scope.Put(Enumerable.Range(0, Rows).Select(i => i % 1000).ToArray());
        Tensor trajectories = scope.Put(Enumerable.Range(0, Rows).Select(i => i / 1000).ToArray());
        Tensor tokens = scope.New(new Shape(Rows), ElementType.Int32);
        Tensor logProb = scope.New(new Shape(Rows));
        Tensor confidence = scope.New(new Shape(Rows));
        long[] seen = new long[Codes];
        for (int call = 0; call < Calls; call++)
        {
            scope.Backend.GuidedSample(conditional, unconditional, s, tau, positions, trajectories, Noise with { Step = call }, tokens, logProb, confidence);
            foreach (int token in scope.Ints(tokens))
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
        int[] tokens = scope.Ints(x.Tokens);
        ulong key = Philox.Key(Noise.Seed, Noise.Stream);
        int differing = 0;
        for (int r = 0; r < Rows; r++)
        {
            double best = double.NegativeInfinity;
            double second = best;
            int code = -1;
            for (int v = 0; v < codes; v++)
            {
                (uint w0, uint w1, uint w2, uint w3) = Philox.Block(key, (uint)v / 4, (uint)x.PositionValues[r], (uint)Noise.Step, (uint)x.TrajectoryValues[r]);
                uint bits = (v % 4) switch { 0 => w0, 1 => w1, 2 => w2, _ => w3 };
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

                (int[] Tokens, float[] LogProb, float[] Confidence) got = (scope.Ints(x.Tokens), scope.Floats(x.LogProb), scope.Floats(x.Confidence));
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
        float[] sampled = scope.Floats(x.LogProb);
        float[] sampledConfidence = scope.Floats(x.Confidence);
        Tensor gathered = scope.New(new Shape(Rows));
        Tensor gatheredConfidence = scope.New(new Shape(Rows));
        for (int start = 0; start < Rows; start += 24)
        {
            int n = Math.Min(24, Rows - start);
            scope.Backend.LogProbGather(x.Conditional.RowRange(start, n), x.Unconditional.RowRange(start, n), Part(x.Guidance, start, n),
                Part(x.Temperature, start, n), Part(x.Tokens, start, n), Part(gathered, start, n), Part(gatheredConfidence, start, n), default, default);
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
        Tensor s = scope.Put(Repeat([30f], Rows));
        Tensor tau = scope.Put(Repeat([0.05f], Rows));
        Tensor places = scope.Put(Enumerable.Range(0, Rows).ToArray());
        Tensor tokens = scope.New(new Shape(Rows), ElementType.Int32);
        Tensor logProb = scope.New(new Shape(Rows));
        Tensor confidence = scope.New(new Shape(Rows));
        scope.Backend.GuidedSample(conditional, unconditional, s, tau, places, places, Noise, tokens, logProb, confidence);
        Assert.All(scope.Floats(logProb), x => Assert.True(float.IsFinite(x)));
        Assert.All(scope.Floats(confidence), x => Assert.True(float.IsFinite(x)));
        Assert.All(scope.Ints(tokens), x => Assert.InRange(x, 0, Codes - 1));
    }

    [Fact]
    public void NoUnconditionalRowMeansConditionalLogits()
    {
        const int Rows = 20;
        using SamplingScope scope = new();
        Case x = new(scope, Rows, 431, seed: 13);
        Tensor ones = scope.Put(Repeat([1f], Rows));
        Tensor zeros = scope.Put(new Shape(Rows, 431), new float[Rows * 431]);
        scope.Backend.GuidedSample(x.Conditional, zeros, ones, x.Temperature, x.Positions, x.Trajectories, Noise, x.Tokens, x.LogProb, x.Confidence);
        int[] tokens = scope.Ints(x.Tokens);
        float[] logProb = scope.Floats(x.LogProb);
        scope.Backend.GuidedSample(x.Conditional, default, default, x.Temperature, x.Positions, x.Trajectories, Noise, x.Tokens, x.LogProb, x.Confidence);
        Assert.Equal(tokens, scope.Ints(x.Tokens));
        Assert.Equal(Bits(logProb), Bits(scope.Floats(x.LogProb)));
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
            Assert.InRange(scope.Ints(x.Tokens)[0], 0, Codes - 1);
            Assert.True(float.IsNaN(scope.Floats(x.LogProb)[0]));
            Assert.True(float.IsNaN(scope.Floats(x.Confidence)[0]));
            Assert.True(float.IsFinite(scope.Floats(x.LogProb)[1]));
        }
    }

    [Fact]
    public void NothingIsAllocatedAfterTheFirstCall()
    {
        const int Rows = 64;
        using SamplingScope scope = new(2);
        Case x = new(scope, Rows, 431, seed: 2);
        Shape board = new(4, 16);
        Tensor canvas = scope.Put(board, new int[Rows]);
        Tensor four = scope.Put([0f, 1f, 2f, 3f]);
        Tensor counts = scope.Put([1, 2, 3, 4]);
        Tensor decodedStep = scope.New(board, ElementType.Int32);
        AdamWStep step = new(1e-3, 0.9, 0.95, 1e-8, 0.02, 1);
        for (int call = 0; call < 2; call++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            x.Sample(scope, 0, Rows);
            scope.Backend.LogProbGather(x.Conditional, x.Unconditional, x.Guidance, x.Temperature, x.Tokens, x.LogProb, x.Confidence, default, default);
            scope.Backend.Remask(canvas, canvas, x.Confidence.Reshape(board), four, counts, counts, Noise, 0, decodedStep);
            scope.Backend.LogProbGatherBackward(x.LogProb, x.Conditional, x.Unconditional, x.Guidance, x.Temperature, x.Tokens, default, x.Conditional,
                x.Unconditional);
            scope.Backend.AdamW(x.LogProb, x.Guidance, x.Confidence, x.Temperature, step, 1f);
            scope.Backend.Ema(x.LogProb, x.Guidance, 0.9f);
            _ = scope.Backend.SquaredNorm(x.Conditional);
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
        TensorException error = Assert.Throws<TensorException>(() => scope.Backend.GuidedSample(x.Conditional, x.Unconditional, x.Guidance, five, x.Positions,
            x.Trajectories, Noise, x.Tokens, x.LogProb, x.Confidence));
        Assert.StartsWith("temperature: wanted 4", error.Message, StringComparison.Ordinal);
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

    private static Tensor Part(Tensor vector, int start, int count) => vector.ColumnRange(start, count);

    private static int[] Bits(float[] values) => Array.ConvertAll(values, BitConverter.SingleToInt32Bits);

    /// <summary>Random rows with mixed temperatures (1 included) and guidances.</summary>
    private sealed class Case
    {
        public Case(SamplingScope scope, int rows, int codes, int seed)
        {
            Random random = new(seed);
            C = SamplingScope.Normal(seed, rows * codes, 2f);
            U = SamplingScope.Normal(seed + 1000, rows * codes, 2f);
            S = [.. Enumerable.Range(0, rows).Select(_ => 1f + (6f * random.NextSingle()))];
            Tau = [.. Enumerable.Range(0, rows).Select(r => r % 3 == 0 ? 1f : 0.05f + (3f * random.NextSingle()))];
            PositionValues = [.. Enumerable.Range(0, rows).Select(r => r % 64)];
            TrajectoryValues = [.. Enumerable.Range(0, rows).Select(r => 1000 + (r / 64))];
            Conditional = scope.Put(new Shape(rows, codes), C);
            Unconditional = scope.Put(new Shape(rows, codes), U);
            Guidance = scope.Put(S);
            Temperature = scope.Put(Tau);
            Positions = scope.Put(PositionValues);
            Trajectories = scope.Put(TrajectoryValues);
            Tokens = scope.New(new Shape(rows), ElementType.Int32);
            LogProb = scope.New(new Shape(rows));
            Confidence = scope.New(new Shape(rows));
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

        public Tensor Positions { get; }

        public Tensor Trajectories { get; }

        public Tensor Tokens { get; }

        public Tensor LogProb { get; }

        public Tensor Confidence { get; }

        public void Sample(SamplingScope scope, int start, int n) => scope.Backend.GuidedSample(Conditional.RowRange(start, n), Unconditional.RowRange(start, n),
            Part(Guidance, start, n), Part(Temperature, start, n), Part(Positions, start, n), Part(Trajectories, start, n), Noise,
            Part(Tokens, start, n), Part(LogProb, start, n), Part(Confidence, start, n));
    }
}
