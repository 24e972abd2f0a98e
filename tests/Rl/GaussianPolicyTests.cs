using CoGrpo.Rl;
using CoGrpo.Tests.Fixtures;

namespace CoGrpo.Tests.Rl;

/// <summary>Log-probability of schedule actions, its ratio and gradients, and the schedule phase's loss, against golden values.</summary>
public class GaussianPolicyTests
{
    /// <summary>Folders of golden schedule policies.</summary>
    public static TheoryData<string> Cases()
    {
        TheoryData<string> names = [];
        foreach (string folder in Directory.EnumerateDirectories(FixtureFolder.At("grpo"), "policy-d*"))
        {
            names.Add(Path.GetFileName(folder));
        }

        return names;
    }

    [Theory]
    [Trait("Category", "fixtures")]
    [MemberData(nameof(Cases))]
    public void MatchesGoldenValues(string name)
    {
        FixtureFile inputs = new(FixtureFolder.At("grpo", name, "inputs.safetensors"));
        FixtureFile outputs = new(FixtureFolder.At("grpo", name, "outputs.safetensors"));
        int steps = FixtureFolder.Json("grpo", name, "config.json").GetProperty("T").GetInt32();
        double[] raw = inputs.Doubles("raw_action");
        double[] mean = outputs.Doubles("delta");
        double[] old = inputs.Doubles("eta_old");
        double[] sigma = inputs.Doubles("sigma");
        double[] advantage = inputs.Doubles("adv");
        bool[] last = [.. inputs.Ints("step").Select(t => t == steps - 1)];
        int count = last.Length;
        Assert.Contains(true, last);
        double[] gradient = new double[4];
        double objective = 0;
        for (int i = 0; i < count; i++)
        {
            Range own = (4 * i)..(4 * (i + 1));
            double logProb = GaussianPolicy.LogProb(raw[own], mean[own], sigma, last[i]);
            double logRatio = GaussianPolicy.LogRatio(raw[own], mean[own], old[own], sigma, last[i]);
            GaussianPolicy.Gradient(raw[own], mean[own], sigma, last[i], gradient);
            Assert.Equal(outputs.Doubles("logp")[i], logProb, 1e-12 * Math.Abs(logProb));
            Assert.Equal(outputs.Doubles("log_ratio")[i], logRatio, 1e-12);
            Assert.Equal(logProb - GaussianPolicy.LogProb(raw[own], old[own], sigma, last[i]), logRatio, 1e-12 * Math.Max(1, Math.Abs(logProb)));
            Assert.Equal(0, GaussianPolicy.LogRatio(raw[own], mean[own], mean[own], sigma, last[i]));
            objective += logProb * advantage[i];
            for (int k = 0; k < 4; k++)
            {
                Assert.Equal(outputs.Doubles("grad_delta")[(4 * i) + k], gradient[k] * advantage[i], 1e-11);
            }
        }

        Assert.Equal(outputs.Doubles("objective")[0], objective, 1e-11);
        foreach (bool onPolicy in new[] { true, false })
        {
            double[] ratios = new double[count];
            float[] meanGradient = new float[4 * count];
            ObjectiveStatistics statistics = new ClippedObjective(new() { OnPolicy = onPolicy }).Actions(
                new ActionInput { RawActions = raw, Means = mean, OldMeans = old, Sigma = sigma, LastStep = last },
                new SegmentInput { Advantages = advantage, Weights = Enumerable.Repeat(1.0, count).ToArray(), Normalizer = count * steps },
                new SegmentOutput { LogRatios = new double[count], Ratios = ratios, Surrogates = new double[count], Clipped = new byte[count] },
                meanGradient);
            string term = onPolicy ? "loss_onpolicy" : "loss_clip";
            Assert.Equal(outputs.Doubles(term)[0], statistics.LossPolicy, 1e-12);
            double[] expected = outputs.Doubles("grad_delta_" + term);
            for (int i = 0; i < expected.Length; i++)
            {
                Assert.Equal(expected[i], meanGradient[i], 1e-9 + (1e-6 * Math.Abs(expected[i])));
            }

            for (int i = 0; i < count; i++)
            {
                Assert.Equal(onPolicy ? 1 : outputs.Doubles("ratio")[i], ratios[i], 1e-11 * ratios[i]);
            }
        }
    }
}
