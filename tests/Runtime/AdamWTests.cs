using System.Text.Json;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;
using CoGrpo.Tests.Fixtures;

namespace CoGrpo.Tests.Runtime;

/// <summary>The optimizer step against golden values of torch, and the moving average and squared norm against fp64.</summary>
public class AdamWTests
{
    /// <summary>Names of the golden cases.</summary>
    public static TheoryData<string> Cases()
    {
        TheoryData<string> names = [];
        foreach (JsonElement x in FixtureFolder.Json("grpo", "adamw", "cases.json").EnumerateArray())
        {
            names.Add(x.GetProperty("case").GetString()!);
        }

        return names;
    }

    [Theory]
    [Trait("Category", "fixtures")]
    [MemberData(nameof(Cases))]
    public void FollowsTorchWithinFourTimesItsRoundingError(string name)
    {
        JsonElement golden = FixtureFolder.Json("grpo", "adamw", "cases.json").EnumerateArray().First(x => x.GetProperty("case").GetString() == name);
        FixtureFile inputs = new(FixtureFolder.At("grpo", "adamw", name + ".inputs.safetensors"));
        FixtureFile exact = new(FixtureFolder.At("grpo", "adamw", name + ".outputs_f64.safetensors"));
        var parity = new ParityCase($"grpo/adamw/{name}", FixtureFolder.Json("grpo", "adamw", "torch_fp32_error.json").GetProperty(name));
        double beta1 = golden.GetProperty("betas")[0].GetDouble();
        double beta2 = golden.GetProperty("betas")[1].GetDouble();
        using SamplingScope scope = new();
        foreach (string key in inputs.Names.Where(x => x.StartsWith("param.0.", StringComparison.Ordinal)).Select(x => x[8..]))
        {
            float[] start = inputs.Floats("param.0." + key);
            bool decays = inputs.Shape("param.0." + key).Length > 1 || golden.GetProperty("decay_1d").GetBoolean();
            Tensor p = scope.Put(start);
            Tensor m = scope.Put(new float[start.Length]);
            Tensor v = scope.Put(new float[start.Length]);
            double[] exactM = new double[start.Length];
            double[] exactV = new double[start.Length];
            for (int step = 1; step <= golden.GetProperty("steps").GetInt32(); step++)
            {
                float[] gradient = inputs.Floats($"grad.{step}.{key}");
                AdamWStep update = new(golden.GetProperty("lr").GetDouble(), beta1, beta2, golden.GetProperty("eps").GetDouble(),
                    decays ? golden.GetProperty("weight_decay").GetDouble() : 0, step);
                Step(scope, p, scope.Put(gradient), m, v, update);
                for (int i = 0; i < start.Length; i++)
                {
                    exactM[i] = (beta1 * exactM[i]) + ((1 - beta1) * gradient[i]);
                    exactV[i] = (beta2 * exactV[i]) + ((1 - beta2) * gradient[i] * gradient[i]);
                }

                parity.Compare($"param.{step}.{key}", exact.Doubles($"param.{step}.{key}"), Doubles(scope.Floats(p)));
                parity.Compare($"exp_avg.{step}.{key}", exactM, Doubles(scope.Floats(m)));
                parity.Compare($"exp_avg_sq.{step}.{key}", exactV, Doubles(scope.Floats(v)));
            }
        }

        parity.Finish();
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void ClippedGradientsFollowTorch(string name)
    {
        FixtureFile inputs = new(FixtureFolder.At("grpo", "adamw", name + ".inputs.safetensors"));
        FixtureFile clip = new(FixtureFolder.At("grpo", "adamw", name + ".clip.safetensors"));
        using SamplingScope scope = new();
        string[] keys = [.. inputs.Names.Where(x => x.StartsWith("grad.1.", StringComparison.Ordinal)).Select(x => x[7..])];
        double norm = Math.Sqrt(keys.Sum(key => scope.SquaredNorm(scope.Put(inputs.Floats("grad.1." + key)))));
        Assert.Equal(clip.Doubles("total_norm")[0], norm, 1e-6 * norm);
        float scale = (float)Math.Min(1, 1.0 / (norm + 1e-6));
        foreach (string key in keys)
        {
            float[] gradient = inputs.Floats("grad.1." + key);
            double[] clipped = clip.Doubles("clipped." + key);
            for (int i = 0; i < gradient.Length; i++)
            {
                Assert.Equal(clipped[i], gradient[i] * scale, 1e-6 * Math.Abs(clipped[i]));
            }
        }
    }

    [Fact]
    public void ClippingScalesTheGradientAndSplitsDoNotMatter()
    {
        const int Count = 20011;
        using SamplingScope one = new(1);
        using SamplingScope three = new(3);
        float[] p = SamplingScope.Normal(1, Count, 1f);
        float[] g = SamplingScope.Normal(2, Count, 1f);
        float[] m = SamplingScope.Normal(3, Count, 0.1f);
        float[] v = [.. SamplingScope.Normal(4, Count, 0.1f).Select(Math.Abs)];
        AdamWStep step = new(1e-3, 0.9, 0.95, 1e-8, 0.02, 17);
        Tensor whole = one.Put(p);
        Step(one, whole, one.Put([.. g.Select(x => x * 0.25f)]), one.Put(m), one.Put(v), step);

        // A norm of 4 against a bound of 1 gives the coefficient 1/(4 + 1e-6), which rounds to 1/4 here.
        AdamWStep clipped = step with { ClipNorm = 1.00000025 };
        Tensor scaled = three.Put(p);
        Tensor gradient = three.Put(g);
        Step(three, scaled, gradient, three.Put(m), three.Put(v), clipped, squaredNorm: 16);
        Assert.Equal(one.Floats(whole), three.Floats(scaled));
        Assert.All(three.Floats(gradient), x => Assert.Equal(0f, x));

        Tensor parts = one.Put(p);
        Tensor pg = one.Put(g);
        Tensor pm = one.Put(m);
        Tensor pv = one.Put(v);
        foreach ((int first, int count) in ((int, int)[])[(0, 5), (5, 4096), (4101, Count - 4101)])
        {
            Step(
                one,
                parts.ColumnRange(first, count),
                pg.ColumnRange(first, count),
                pm.ColumnRange(first, count),
                pv.ColumnRange(first, count),
                clipped,
                squaredNorm: 16
            );
        }

        Assert.Equal(one.Floats(whole), one.Floats(parts));
    }

    [Fact]
    public void DecayIsPerBlockAndTheAverageFollowsTheNewWeights()
    {
        const int Count = 150;
        using SamplingScope scope = new(2);
        AdamWStep step = new(0.1, 0.9, 0.95, 1e-8, 0.5, 1);
        Tensor decayed = scope.Put([.. Enumerable.Repeat(2f, Count)]);
        Tensor plain = scope.Put([.. Enumerable.Repeat(2f, Count)]);
        Tensor average = scope.Put([.. Enumerable.Repeat(10f, Count)]);
        Tensor New(float value) => scope.Put([.. Enumerable.Repeat(value, Count)]);
        Tensor decays = scope.New(new Shape(3), ElementType.UInt8);
        scope.Backend.Upload<byte>([1, 0, 1], decays);
        AdamWOperands operands = Operands(scope, decayed, New(1), New(0), New(0), 1) with
        {
            Decays = decays,
            Average = average,
            AverageDecay = 0.75f,
        };
        scope.Backend.AdamW(operands, step);
        scope.Backend.AdamW(Operands(scope, plain, New(1), New(0), New(0), 1), step with { WeightDecay = 0 });
        float[] got = scope.Floats(decayed);
        float[] without = scope.Floats(plain);
        float[] mixed = scope.Floats(average);
        for (int i = 0; i < Count; i++)
        {
            bool decays1 = i / 64 != 1;
            Assert.Equal(decays1 ? without[i] - 0.1f : without[i], got[i], 1e-6f);
            Assert.Equal((0.75f * 10) + (0.25f * got[i]), mixed[i], 1e-6f);
        }
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void ANormThatIsNoNumberChangesNothingButTheGradient(double squaredNorm)
    {
        using SamplingScope scope = new();
        float[] values = SamplingScope.Normal(1, 70, 1f);
        Tensor p = scope.Put(values),
            g = scope.Put(values),
            m = scope.Put(values),
            v = scope.Put(values),
            average = scope.Put(values);
        scope.Backend.AdamW(
            Operands(scope, p, g, m, v, squaredNorm) with
            {
                Average = average,
                AverageDecay = 0.5f,
            },
            new AdamWStep(1e-3, 0.9, 0.95, 1e-8, 0.02, 1)
        );
        Assert.All((Tensor[])[p, m, v, average], t => Assert.Equal(values, scope.Floats(t)));
        Assert.All(scope.Floats(g), x => Assert.Equal(0f, x));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(31)]
    [InlineData(8192)]
    [InlineData(100003)]
    public void SquaredNormIsExactAndIndependentOfThreads(int count)
    {
        float[] x = SamplingScope.Normal(count, count, 1e3f);
        double expected = x.Sum(value => (double)value * value);
        double? first = null;
        foreach (int threads in (int[])[1, 2, 3])
        {
            using SamplingScope scope = new(threads);
            double got = scope.SquaredNorm(scope.Put(x));
            Assert.Equal(expected, got, 1e-12 * expected);
            first ??= got;
            Assert.Equal(BitConverter.DoubleToInt64Bits(first.Value), BitConverter.DoubleToInt64Bits(got));
        }
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void SquaredNormOfNonFiniteIsNonFinite(float bad)
    {
        using SamplingScope scope = new(2);
        foreach (int place in (int[])[0, 17, 9000, 10000])
        {
            float[] x = new float[10001];
            x[place] = bad;
            Assert.False(double.IsFinite(scope.SquaredNorm(scope.Put(x))));
        }
    }

    private static AdamWOperands Operands(SamplingScope scope, Tensor p, Tensor g, Tensor m, Tensor v, double squaredNorm) => new()
    {
        Parameter = p,
        Gradient = g,
        FirstMoment = m,
        SecondMoment = v,
        SquaredNorm = scope.Put(new Shape(1), [squaredNorm]),
    };

    private static void Step(SamplingScope scope, Tensor p, Tensor g, Tensor m, Tensor v, AdamWStep step, double squaredNorm = 1) =>
        scope.Backend.AdamW(Operands(scope, p, g, m, v, squaredNorm), step);

    private static double[] Doubles(float[] values) => Array.ConvertAll(values, x => (double)x);
}
