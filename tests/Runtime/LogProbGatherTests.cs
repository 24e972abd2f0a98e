using System.Text.Json;
using CoGrpo.Runtime;
using CoGrpo.Tests.Fixtures;

namespace CoGrpo.Tests.Runtime;

/// <summary>Log-probabilities of given tokens and their gradients against fp64 and against golden values.</summary>
public class LogProbGatherTests
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
    [MemberData(nameof(Cases))]
    public void MatchesGoldenValues(string name)
    {
        JsonElement golden = FixtureFolder.Json("grpo", "model-phase", "cases.json").EnumerateArray().First(x => x.GetProperty("case").GetString() == name);
        FixtureFile inputs = new(FixtureFolder.At("grpo", "model-phase", golden.GetProperty("inputs").GetString()!));
        FixtureFile outputs = new(FixtureFolder.At("grpo", "model-phase", name + ".outputs.safetensors"));
        JsonElement torch = FixtureFolder.Json("grpo", "model-phase", "torch_fp32_error.json").GetProperty(name);
        string mode = golden.GetProperty("cfggrad").GetString()!;
        int rows = golden.GetProperty("rows").GetInt32();
        int codes = golden.GetProperty("vocab").GetInt32();
        int steps = golden.GetProperty("T").GetInt32();
        int[] segment = [.. inputs.Ints("row_traj").Zip(inputs.Ints("row_step"), (b, t) => (b * steps) + t)];
        float[] s = inputs.Floats("s");
        float[] tau = inputs.Floats("tau_s");
        using SamplingScope scope = new(2);
        Tensor c = scope.Put(new Shape(rows, codes), inputs.Floats("cond"));
        Tensor u = mode == "none" ? default : scope.Put(new Shape(rows, codes), inputs.Floats("uncond"));
        Tensor guidance = scope.Put([.. segment.Select(i => s[i])]);
        Tensor temperature = scope.Put([.. segment.Select(i => tau[i])]);
        Tensor tokens = scope.Put(inputs.Ints("tokens"));
        Tensor logProb = scope.New(new Shape(rows));
        Tensor confidence = scope.New(new Shape(rows));
        Tensor entropy = scope.New(new Shape(rows));
        Tensor logSumExp = scope.New(new Shape(rows));
        scope.Backend.LogProbGather(c, u, guidance, temperature, tokens, logProb, confidence, entropy, logSumExp);
        AssertNear(outputs.Doubles("token_logp"), scope.Floats(logProb), Math.Max(1e-5, 4 * MaxError(torch, "token_logp")));
        AssertNear(outputs.Doubles("confidence"), scope.Floats(confidence), Math.Max(1e-5, 4 * MaxError(torch, "confidence")));
        AssertNear(outputs.Doubles("entropy"), scope.Floats(entropy), Math.Max(1e-5, 4 * MaxError(torch, "entropy")));
        if (golden.GetProperty("mode").GetString() != "onpolicy")
        {
            return;
        }

        // On policy the ratio is 1 and nothing is clipped, so dL/dl = -weight·advantage/(B N).
        float[] advantage = inputs.Floats("adv");
        float[] weight = inputs.Floats("step_weight");
        double scale = -1.0 / (golden.GetProperty("B").GetInt32() * (double)golden.GetProperty("N").GetInt32());
        Tensor upstream = scope.Put([.. segment.Select(i => (float)(scale * weight[i] * advantage[i / steps]))]);
        Tensor du = mode == "both" ? u : default;
        scope.Backend.LogProbGatherBackward(upstream, c, u, guidance, temperature, tokens, logSumExp, c, du);
        AssertNearInNorm(outputs.Doubles("grad_policy_cond"), scope.Floats(c), 1e-5);
        if (mode == "both")
        {
            AssertNearInNorm(outputs.Doubles("grad_policy_uncond"), scope.Floats(u), 1e-5);
        }
    }

    [Theory]
    [InlineData(431, 1f)]
    [InlineData(431, 0.05f)]
    [InlineData(1, 0.5f)]
    [InlineData(64, 3f)]
    [InlineData(8191, 0.7f)]
    public void MatchesDoublePrecision(int codes, float temperature)
    {
        const int Rows = 12;
        using SamplingScope scope = new();
        float[] c = SamplingScope.Normal(1, Rows * codes, 1.5f);
        float[] u = SamplingScope.Normal(2, Rows * codes, 1.5f);
        float[] s = [.. Enumerable.Range(0, Rows).Select(r => 1f + (0.5f * r))];
        int[] chosen = [.. Enumerable.Range(0, Rows).Select(r => (r * 7919) % codes)];
        Tensor logProb = scope.New(new Shape(Rows));
        Tensor confidence = scope.New(new Shape(Rows));
        Tensor entropy = scope.New(new Shape(Rows));
        Tensor logSumExp = scope.New(new Shape(Rows));
        Tensor tau = scope.Put(Enumerable.Repeat(temperature, Rows).ToArray());
        scope.Backend.LogProbGather(scope.Put(new Shape(Rows, codes), c), scope.Put(new Shape(Rows, codes), u), scope.Put(s), tau, scope.Put(chosen),
            logProb, confidence, entropy, logSumExp);
        for (int r = 0; r < Rows; r++)
        {
            double[] z = Guided(c, u, s[r], r, codes);
            double scale = z.Max(Math.Abs);

            // Half a unit in the last place of the largest logit and of the differences that make it, magnified by 1/τ.
            double tolerance = 2e-6 + (2e-7 * scale / temperature);
            (double lse, double h) = LogSumExp(z, temperature);
            Assert.Equal((z[chosen[r]] / temperature) - lse, scope.Floats(logProb)[r], tolerance);
            Assert.Equal(z[chosen[r]] - LogSumExp(z, 1).Lse, scope.Floats(confidence)[r], 2e-6 + (2e-7 * scale));
            Assert.Equal(lse, scope.Floats(logSumExp)[r], tolerance);
            Assert.Equal(h, scope.Floats(entropy)[r], tolerance);
        }
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(true, true)]
    [InlineData(false, true)]
    public void GradientMatchesFiniteDifferences(bool guided, bool detached)
    {
        const int Rows = 5;
        const int Codes = 23;
        using SamplingScope scope = new();
        float[] c = SamplingScope.Normal(1, Rows * Codes, 1f);
        float[] u = SamplingScope.Normal(2, Rows * Codes, 1f);
        float[] s = [1f, 2f, 4f, 0.5f, 7f];
        float[] tau = [1f, 0.4f, 2f, 0.9f, 3f];
        int[] chosen = [0, 22, 7, 16, 15];
        float[] upstream = [1f, -2f, 0.5f, 0f, 3f];
        Tensor dc = scope.New(new Shape(Rows, Codes));
        Tensor du = detached ? default : scope.New(new Shape(Rows, Codes));
        scope.Backend.LogProbGatherBackward(scope.Put(upstream), scope.Put(new Shape(Rows, Codes), c), guided ? scope.Put(new Shape(Rows, Codes), u) : default,
            scope.Put(s), scope.Put(tau), scope.Put(chosen), default, dc, du);
        float[] gotC = scope.Floats(dc);
        const double H = 1e-5;
        for (int r = 0; r < Rows; r++)
        {
            for (int v = 0; v < Codes; v++)
            {
                // c moves z by s, u by 1 - s; without guidance c is z.
                double slope = upstream[r] * ((At(r, v, H) - At(r, v, -H)) / (2 * H));
                Assert.Equal(slope * (guided ? s[r] : 1), gotC[(r * Codes) + v], 2e-6 * (1 + Math.Abs(upstream[r] * s[r] / tau[r])));
                if (!detached)
                {
                    Assert.Equal(slope * (1 - s[r]), scope.Floats(du)[(r * Codes) + v], 2e-6 * (1 + Math.Abs(upstream[r] * s[r] / tau[r])));
                }
            }
        }

        double At(int r, int v, double h)
        {
            double[] z = guided ? Guided(c, u, s[r], r, Codes) : [.. c.AsSpan(r * Codes, Codes).ToArray().Select(x => (double)x)];
            z[v] += h;
            return (z[chosen[r]] / tau[r]) - LogSumExp(z, tau[r]).Lse;
        }
    }

    [Fact]
    public void GradientsMayReplaceTheLogitsAndRowsMayBeStrided()
    {
        const int Rows = 7;
        const int Codes = 37;
        using SamplingScope scope = new(2);
        float[] both = SamplingScope.Normal(3, Rows * 2 * Codes, 2f);
        Tensor wide = scope.Put(new Shape(Rows, 2 * Codes), both);
        Tensor c = wide.ColumnRange(0, Codes);
        Tensor u = wide.ColumnRange(Codes, Codes);
        Tensor s = scope.Put(Enumerable.Repeat(3f, Rows).ToArray());
        Tensor tau = scope.Put(Enumerable.Repeat(0.8f, Rows).ToArray());
        Tensor tokens = scope.Put(Enumerable.Range(0, Rows).ToArray());
        Tensor upstream = scope.Put(Enumerable.Range(1, Rows).Select(x => (float)x).ToArray());
        Tensor dc = scope.New(new Shape(Rows, Codes));
        Tensor du = scope.New(new Shape(Rows, Codes));
        scope.Backend.LogProbGatherBackward(upstream, c, u, s, tau, tokens, default, dc, du);
        scope.Backend.LogProbGatherBackward(upstream, c, u, s, tau, tokens, default, c, u);
        float[] inPlace = scope.Floats(wide);
        for (int r = 0; r < Rows; r++)
        {
            Assert.Equal(scope.Floats(dc).AsSpan(r * Codes, Codes), inPlace.AsSpan(r * 2 * Codes, Codes));
            Assert.Equal(scope.Floats(du).AsSpan(r * Codes, Codes), inPlace.AsSpan((r * 2 * Codes) + Codes, Codes));
        }
    }

    private static double[] Guided(float[] c, float[] u, double s, int row, int codes) =>
        [.. Enumerable.Range(row * codes, codes).Select(i => u[i] + (s * (c[i] - (double)u[i])))];

    private static (double Lse, double Entropy) LogSumExp(double[] z, double tau)
    {
        double max = z.Max() / tau;
        double sum = z.Sum(x => Math.Exp((x / tau) - max));
        double lse = max + Math.Log(sum);
        return (lse, -z.Sum(x => Math.Exp((x / tau) - lse) * ((x / tau) - lse)));
    }

    private static double MaxError(JsonElement torch, string name) => torch.GetProperty(name).GetProperty("max_abs").GetDouble();

    private static void AssertNear(double[] expected, float[] got, double tolerance)
    {
        Assert.Equal(expected.Length, got.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.Equal(expected[i], got[i], tolerance);
        }
    }

    private static void AssertNearInNorm(double[] expected, float[] got, double tolerance)
    {
        Assert.Equal(expected.Length, got.Length);
        double error = Math.Sqrt(expected.Zip(got, (a, b) => (a - b) * (a - b)).Sum());
        double norm = Math.Sqrt(expected.Sum(x => x * x));
        Assert.True(error <= tolerance * norm, $"error {error} of norm {norm}");
    }
}
