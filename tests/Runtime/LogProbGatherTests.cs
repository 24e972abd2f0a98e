using CoGrpo.Runtime;

namespace CoGrpo.Tests.Runtime;

/// <summary>Log-probabilities of given tokens and their gradients against fp64 and against golden values.</summary>
public class LogProbGatherTests
{
    /// <summary>Names of the golden cases of the model phase.</summary>
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
        scope.Backend.LogProbGatherBackward(
            scope.Put(upstream),
            scope.Put(new Shape(Rows, Codes), c),
            guided ? scope.Put(new Shape(Rows, Codes), u) : default,
            scope.Put(s),
            scope.Put(tau),
            scope.Put(chosen),
            default,
            dc,
            du
        );
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
}
