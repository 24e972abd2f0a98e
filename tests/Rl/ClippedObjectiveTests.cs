using System.Text.Json;
using CoGrpo.Rl;
using CoGrpo.Runtime;
using CoGrpo.Tests.Fixtures;
using CoGrpo.Tests.Runtime;

namespace CoGrpo.Tests.Rl;

/// <summary>
/// The clipped objective of the model phase against golden values, from logits to the gradient of the logits, and its rules one by one.
/// </summary>
public class ClippedObjectiveTests
{
    /// <summary>Names of the golden cases of the model phase.</summary>
    public static TheoryData<string> Cases()
    {
        TheoryData<string> names = [];
        foreach (JsonElement x in FixtureFolder.Json("grpo", "model-phase", "cases.json").EnumerateArray())
        {
            names.Add(x.GetProperty("case").GetString()!);
        }

        return names;
    }

    [Theory]
    [Trait("Category", "fixtures")]
    [MemberData(nameof(Cases))]
    public void Logits_to_gradients_are_within_the_original_codes_error(string name)
    {
        ModelPhaseCase golden = new(name);
        var parity = new ParityCase($"grpo/model-phase/{name}", FixtureFolder.Json("grpo", "model-phase", "torch_fp32_error.json").GetProperty(name));
        using SamplingScope scope = new(2);
        int rows = golden.Rows;
        Tensor c = scope.Put(new Shape(rows, golden.Vocabulary), golden.Inputs.Floats("cond"));
        Tensor u = golden.Mode == "none" ? default : scope.Put(new Shape(rows, golden.Vocabulary), golden.Inputs.Floats("uncond"));
        Tensor guidance = scope.Put(golden.PerRow("s"));
        Tensor temperature = scope.Put(golden.PerRow("tau_s"));
        Tensor tokens = scope.Put(golden.Inputs.Ints("tokens"));
        Tensor logProb = scope.New(new Shape(rows));
        Tensor confidence = scope.New(new Shape(rows));
        Tensor entropy = scope.New(new Shape(rows));
        Tensor logSumExp = scope.New(new Shape(rows));
        scope.Backend.LogProbGather(c, u, guidance, temperature, tokens, logProb, confidence, entropy, logSumExp);
        parity.Compare("token_logp", golden.Outputs.Doubles("token_logp"), Doubles(scope.Floats(logProb)));
        parity.Compare("confidence", golden.Outputs.Doubles("confidence"), Doubles(scope.Floats(confidence)));
        parity.Compare("entropy", golden.Outputs.Doubles("entropy"), Doubles(scope.Floats(entropy)));

        Result result = Evaluate(golden, scope.Floats(logProb), golden.KlWeight, golden.Advantages);
        parity.Compare("log_ratio", golden.Outputs.Doubles("log_ratio"), result.LogRatios);
        parity.Compare("ratio", golden.Outputs.Doubles("ratio"), result.Ratios);
        parity.Compare("surrogate", golden.Outputs.Doubles("surrogate"), result.Surrogates);
        parity.Compare("loss_policy", golden.Outputs.Doubles("loss_policy"), [result.Statistics.LossPolicy]);
        parity.Compare("loss_kl", golden.Outputs.Doubles("loss_kl"), [result.Statistics.LossKl]);
        Assert.Equal(golden.Outputs.Ints("clipped"), result.Clipped.Select(x => (int)x));

        float[] policy = Evaluate(golden, scope.Floats(logProb), 0, golden.Advantages).Upstream;
        CompareGradients(parity, golden, scope, policy, "policy", c, u, guidance, temperature, tokens, logSumExp);
        if (golden.KlWeight > 0)
        {
            float[] kl = Evaluate(golden, scope.Floats(logProb), golden.KlWeight, new double[golden.Advantages.Length]).Upstream;
            CompareGradients(parity, golden, scope, kl, "kl", c, u, guidance, temperature, tokens, logSumExp);
        }

        parity.Finish();
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void UpstreamIsTheDerivativeOfTheLoss(string name)
    {
        ModelPhaseCase golden = new(name);
        float[] logProb = golden.Outputs.Floats("token_logp");
        Result centre = Evaluate(golden, logProb, golden.KlWeight, golden.Advantages);
        if (golden.OnPolicy)
        {
            // The ratio is 1 with slope 1, whatever the log-probability.
            for (int r = 0; r < golden.Rows && golden.KlWeight == 0; r++)
            {
                int s = golden.Segments[r];
                Assert.Equal(-golden.Weights[s] * golden.Advantages[s] / golden.Normalizer, centre.Upstream[r], 1e-8);
            }

            return;
        }

        for (int r = 0; r < golden.Rows; r++)
        {
            const float Delta = 1f / 1024;
            float[] moved = [.. logProb];
            moved[r] = logProb[r] + Delta;
            double up = Evaluate(golden, moved, golden.KlWeight, golden.Advantages).Statistics.Loss;
            double width = moved[r];
            moved[r] = logProb[r] - Delta;
            double down = Evaluate(golden, moved, golden.KlWeight, golden.Advantages).Statistics.Loss;
            width -= moved[r];
            Assert.Equal((up - down) / width, centre.Upstream[r], 1e-6 + (1e-4 * Math.Abs(centre.Upstream[r])));
        }
    }

    [Fact]
    public void SplittingSegmentsAddsUp()
    {
        ModelPhaseCase golden = new("old_both");
        float[] logProb = golden.Outputs.Floats("token_logp");
        Result whole = Evaluate(golden, logProb, golden.KlWeight, golden.Advantages);
        ObjectiveStatistics sum = ObjectiveStatistics.Empty;
        int half = golden.Advantages.Length / 2;
        for (int part = 0; part < 2; part++)
        {
            int first = part * half;
            int[] rows = [.. Enumerable.Range(0, golden.Rows).Where(r => golden.Segments[r] / half == part)];
            float[] upstream = new float[rows.Length];
            ObjectiveStatistics statistics = new ClippedObjective(golden.Settings(golden.KlWeight)).Tokens(
                new TokenInput
                {
                    LogProb = rows.Select(r => logProb[r]).ToArray(),
                    OldLogProb = rows.Select(r => golden.Inputs.Floats("old_logp")[r]).ToArray(),
                    ReferenceLogProb = rows.Select(r => golden.Inputs.Floats("ref_logp")[r]).ToArray(),
                    Segments = rows.Select(r => golden.Segments[r] - first).ToArray(),
                },
                new SegmentInput
                {
                    Advantages = golden.Advantages.AsSpan(first, half),
                    Weights = golden.Weights.AsSpan(first, half),
                    Normalizer = golden.Normalizer,
                },
                new SegmentOutput
                {
                    LogRatios = new double[half],
                    Ratios = new double[half],
                    Surrogates = new double[half],
                    Clipped = new byte[half],
                },
                upstream
            );
            sum.Add(statistics);
            Assert.Equal(rows.Select(r => whole.Upstream[r]), upstream);
        }

        Assert.Equal(whole.Statistics.Loss, sum.Loss, 1e-12);
        Assert.Equal(whole.Statistics.ClippedHigh + whole.Statistics.ClippedLow, sum.ClippedHigh + sum.ClippedLow);
        Assert.True(sum.ClippedHigh + sum.ClippedLow > 0);
        Assert.Equal(whole.Statistics.RatioMax, sum.RatioMax);
    }

    [Theory]
    [InlineData(0.5, 1.0, 0.0, false)]
    [InlineData(0.5, -1.0, -1.6487212707001282, false)]
    [InlineData(-0.5, 1.0, 0.6065306597126334, false)]
    [InlineData(-0.5, -1.0, 0.0, false)]
    [InlineData(2.0, -1.0, 0.0, true)]
    [InlineData(2.0, -1.0, -7.38905609893065, false)]
    [InlineData(25.0, -1.0, 0.0, false)]
    [InlineData(-25.0, 1.0, 0.0, false)]
    [InlineData(0.0, 0.7, 0.7, true)]
    public void SlopeFollowsTheRules(double logRatio, double advantage, double slope, bool cap)
    {
        ClippedObjective objective = new(new() { OnPolicy = false, RatioCap = cap ? 3 : null });
        double value = objective.Surrogate.Value(logRatio, advantage, out double got, out _);
        Assert.Equal(slope, got, 1e-14);
        double ratio = Math.Exp(Math.Clamp(logRatio, -20, 20));
        double free = advantage < 0 && cap ? Math.Min(ratio, 3) : ratio;
        Assert.Equal(Math.Min(free * advantage, Math.Clamp(ratio, 0.8, 1.2) * advantage), value);
    }

    [Fact]
    public void OnPolicyStillReportsAMismatchWithTheRollout()
    {
        ModelPhaseCase golden = new("k1_both");
        float[] old = golden.Inputs.Floats("old_logp");
        Assert.Equal(0, Evaluate(golden, old, 0, golden.Advantages).Statistics.RolloutMismatch);
        old[3] += 0.25f;
        ObjectiveStatistics statistics = Evaluate(golden, old, 0, golden.Advantages).Statistics;
        Assert.Equal(0.25, statistics.RolloutMismatch, 1e-6);
        Assert.Equal(1, statistics.RatioMax);
        Assert.True(statistics.ApproximateKl > 0);
    }

    [Fact]
    public void MissingInputsAreNamed()
    {
        ClippedObjective stored = new(new() { OnPolicy = false });
        Assert.Throws<ArgumentException>(() =>
            stored.Tokens(
                new TokenInput { LogProb = [1f], Segments = [0] },
                new SegmentInput
                {
                    Advantages = [1],
                    Weights = [1],
                    Normalizer = 1,
                },
                new SegmentOutput
                {
                    LogRatios = new double[1],
                    Ratios = new double[1],
                    Surrogates = new double[1],
                    Clipped = new byte[1],
                },
                new float[1]
            )
        );
        Assert.Throws<ArgumentException>(() => new ClippedObjective(new() { RatioCap = 1.1 }));
    }

    private static Result Evaluate(ModelPhaseCase golden, float[] logProb, double klWeight, double[] advantages)
    {
        int count = advantages.Length;
        Result result = new(new double[count], new double[count], new double[count], new byte[count], new float[logProb.Length]);
        ClippedObjective objective = new(golden.Settings(klWeight));
        result.Statistics = objective.Tokens(
            new TokenInput
            {
                LogProb = logProb,
                OldLogProb = golden.Inputs.Floats("old_logp"),
                ReferenceLogProb = golden.Inputs.Floats("ref_logp"),
                Segments = golden.Segments,
            },
            new SegmentInput
            {
                Advantages = advantages,
                Weights = golden.Weights,
                Normalizer = golden.Normalizer,
            },
            new SegmentOutput
            {
                LogRatios = result.LogRatios,
                Ratios = result.Ratios,
                Surrogates = result.Surrogates,
                Clipped = result.Clipped,
            },
            result.Upstream
        );
        return result;
    }

    private static void CompareGradients(
        ParityCase parity,
        ModelPhaseCase golden,
        SamplingScope scope,
        float[] upstream,
        string term,
        Tensor c,
        Tensor u,
        Tensor guidance,
        Tensor temperature,
        Tensor tokens,
        Tensor logSumExp
    )
    {
        Tensor dc = scope.New(c.Shape);
        Tensor du = golden.Mode == "both" ? scope.New(c.Shape) : default;
        scope.Backend.LogProbGatherBackward(scope.Put(upstream), c, u, guidance, temperature, tokens, logSumExp, dc, du);
        parity.Compare($"grad_{term}_cond", golden.Outputs.Doubles($"grad_{term}_cond"), Doubles(scope.Floats(dc)));
        if (golden.Mode == "both")
        {
            parity.Compare($"grad_{term}_uncond", golden.Outputs.Doubles($"grad_{term}_uncond"), Doubles(scope.Floats(du)));
        }
    }

    private static double[] Doubles(float[] values) => Array.ConvertAll(values, x => (double)x);

    private sealed record Result(double[] LogRatios, double[] Ratios, double[] Surrogates, byte[] Clipped, float[] Upstream)
    {
        public ObjectiveStatistics Statistics { get; set; }
    }
}
