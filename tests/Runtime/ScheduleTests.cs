using System.Globalization;
using CoGrpo.Runtime.Sampling;
using CoGrpo.Tests.Fixtures;

namespace CoGrpo.Tests.Runtime;

/// <summary>Action links, hand-made schedules and counts against golden tables and against each other.</summary>
public class ScheduleTests
{
    /// <summary>Step counts and image sizes at which zero actions must be the hand-made schedule.</summary>
    public static TheoryData<int, int> Sizes()
    {
        TheoryData<int, int> sizes = [];
        foreach (int steps in new[] { 1, 2, 3, 8, 12, 15, 16, 32, 48, 64 })
        {
            foreach (int codes in new[] { 1, 64, 256, 1024, 4096 })
            {
                sizes.Add(steps, codes);
            }
        }

        return sizes;
    }

    [Fact]
    [Trait("Category", "fixtures")]
    public void LinksMatchTheGoldenTable()
    {
        string[] lines = File.ReadAllLines(FixtureFolder.At("grpo", "action-links", "links.tsv"));
        string[] columns = lines[0].Split('\t');
        ScheduleState state = default;
        ScheduleParametrization? parametrization = null;
        Span<double> residual = stackalloc double[4];
        int rows = 0;
        foreach (string line in lines.Skip(1))
        {
            string[] fields = line.Split('\t');
            double Number(string name) => double.Parse(fields[Array.IndexOf(columns, name)], CultureInfo.InvariantCulture);
            int steps = (int)Number("T");
            int step = (int)Number("t");
            if (step == 0)
            {
                state = ScheduleState.Start;
                RemaskMode mode = fields[Array.IndexOf(columns, "mode")] == "relative" ? RemaskMode.Relative : RemaskMode.Absolute;
                parametrization = new ScheduleParametrization(new() { Mode = mode });
            }

            double[] raw = [Number("a_r"), Number("a_tau_s"), Number("a_tau_r"), Number("a_s")];
            parametrization!.Residual(step, steps, residual);
            double before = state.Remask;
            ScheduleAction action = parametrization.Apply(ref state, step, steps, raw, out _);
            bool last = step == steps - 1;
            if (!last)
            {
                AssertRelative(Number("R_r"), residual[0]);
                AssertRelative(Number("sigmoid_r"), parametrization.Settings.Mode == RemaskMode.Relative ? action.Remask / before : action.Remask);
            }

            AssertRelative(Number("R_tau_s"), residual[1]);
            AssertRelative(Number("R_tau_r"), residual[2]);
            AssertRelative(Number("R_s"), residual[3]);
            AssertRelative(Number("r"), action.Remask);
            AssertRelative(Number("tau_s"), action.SamplingTemperature);
            AssertRelative(Number("tau_r"), action.RemaskTemperature);
            AssertRelative(Number("s"), action.Guidance);
            Assert.Equal((int)Number("masked_after"), RemaskCount.Of((int)Number("N"), action.Remask, (int)Number("masked_before"), step, steps));
            rows++;
        }

        Assert.True(rows > 300);
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void ZeroActionsAreTheHandMadeSchedule(int steps, int codes)
    {
        foreach (double exponent in new[] { 1, 0.3, 1.5 })
        {
            foreach (RemaskMode mode in Enum.GetValues<RemaskMode>())
            {
                foreach (double smoothing in new[] { 0, 0.8 })
                {
                    HandMadeSettings hand = new() { CosineExponent = exponent, Guidance = 3 };
                    ScheduleParametrization learned = new(new() { HandMade = hand, Mode = mode, Smoothing = smoothing });
                    ScheduleState state = ScheduleState.Start;
                    int masked = codes;
                    for (int step = 0; step < steps; step++)
                    {
                        ScheduleAction expected = hand.At(step, steps);
                        ScheduleAction action = learned.Apply(ref state, step, steps, [0, 0, 0, 0], out ScheduleClamps clamps);
                        int count = RemaskCount.Of(codes, expected.Remask, masked, step, steps);
                        Assert.Equal(count, RemaskCount.Of(codes, action.Remask, masked, step, steps));
                        Assert.Equal((float)expected.SamplingTemperature, (float)action.SamplingTemperature);
                        Assert.Equal((float)expected.Guidance, (float)action.Guidance);
                        Assert.Equal(ScheduleClamps.None, clamps);
                        if (step < steps - 1)
                        {
                            Assert.Equal((float)expected.RemaskTemperature, (float)action.RemaskTemperature);
                            Assert.Equal(
                                masked > 1 ? Math.Max(1, Math.Min((int)Math.Floor((codes * expected.Remask) + 1e-7), masked - 1)) : 1,
                                count
                            );
                        }

                        masked = count;
                    }

                    Assert.Equal(0, masked);
                }
            }
        }
    }

    [Fact]
    [Trait("Category", "fixtures")]
    public void SinglePrecisionCountsMatchTheReference()
    {
        string[] lines = File.ReadAllLines(FixtureFolder.At("sampler-step", "mask_len.tsv"));
        string[] columns = lines[0].Split('\t');
        HandMadeSettings hand = new() { SinglePrecision = true };
        int masked = 0;
        int differing = 0;
        foreach (string line in lines.Skip(1))
        {
            string[] fields = line.Split('\t');
            double Number(string name) => double.Parse(fields[Array.IndexOf(columns, name)], CultureInfo.InvariantCulture);
            (int steps, int codes, int step) = ((int)Number("T"), (int)Number("N"), (int)Number("i"));
            masked = step == 0 ? codes : masked;
            ScheduleAction action = hand.At(step, steps);
            int exact = RemaskCount.Of(codes, new HandMadeSettings().At(step, steps).Remask, masked, step, steps);
            masked = RemaskCount.OfSingle(codes, (float)action.Remask, masked, step, steps);
            Assert.Equal((int)Number("mask_len"), masked);
            Assert.Equal(Number("temperature_fp32"), action.RemaskTemperature, 1e-6);
            differing += exact != masked ? 1 : 0;
        }

        Assert.True(differing > 0, "the two rules differ somewhere, else one of them is not what it says");
    }

    [Fact]
    public void GuidanceOneIsForHandMadeSchedulesOnly()
    {
        HandMadeSettings hand = new() { Guidance = 1 };
        Assert.Equal(1, new HandMadeSchedule(hand).Settings.At(0, 8).Guidance);
        ArgumentException error = Assert.Throws<ArgumentException>(() => new ScheduleParametrization(new() { HandMade = hand }));
        Assert.Contains("above 1", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ClampsActAndAreReported()
    {
        ScheduleParametrization learned = new(new());
        ScheduleState state = ScheduleState.Start;
        ScheduleAction high = learned.Apply(ref state, 0, 8, [50, 50, 50, 50], out ScheduleClamps clamps);
        Assert.Equal(new ScheduleAction(1, 5, 20, 30), high);
        Assert.Equal(ScheduleClamps.SamplingTemperature | ScheduleClamps.RemaskTemperature | ScheduleClamps.Guidance, clamps);
        ScheduleAction low = learned.Apply(ref state, 1, 8, [-50, -50, -50, -50], out _);
        Assert.Equal(0.05, low.SamplingTemperature);
        Assert.True(low.IsValid);
        Assert.Throws<ArgumentException>(() => learned.Apply(ref state, 2, 8, [double.NaN, 0, 0, 0], out _));
    }

    [Fact]
    public void SmoothingFollowsTheRecursion()
    {
        const double Lambda = 0.8;
        ScheduleParametrization learned = new(new() { Smoothing = Lambda, Mode = RemaskMode.Absolute });
        ScheduleState state = ScheduleState.Start;
        Span<double> residual = stackalloc double[4];
        double previous = 0;
        double previousResidual = 0;
        double[] raws = [0.3, -0.2, 0.7, 0.1, -0.4];
        for (int step = 0; step < raws.Length; step++)
        {
            learned.Residual(step, 8, residual);
            double shifted = step == 0 ? residual[0] : (residual[0] - (Lambda * previousResidual)) / (1 - Lambda);
            double z = step == 0 ? shifted + raws[0] : (Lambda * previous) + ((1 - Lambda) * (shifted + raws[step]));
            ScheduleAction action = learned.Apply(ref state, step, 8, [raws[step], 0, 0, 0], out _);
            Assert.Equal(ScheduleLinks.Sigmoid(z), action.Remask, 1e-13);
            (previous, previousResidual) = (z, residual[0]);
        }
    }

    [Fact]
    public void TableOneLiteralIsTheExponentialForm()
    {
        HandMadeSettings hand = new() { Table1Literal = true };
        Assert.Equal(2, hand.At(0, 48).RemaskTemperature);
        Assert.Equal(Math.Sqrt(2), hand.At(24, 48).RemaskTemperature, 1e-15);
    }

    private static void AssertRelative(double expected, double actual) =>
        Assert.True(Math.Abs(expected - actual) <= 1e-13 * Math.Abs(expected), $"{actual} against {expected}");
}
