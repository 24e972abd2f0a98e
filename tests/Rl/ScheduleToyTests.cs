using CoGrpo.Rl;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Tests.Rl;

/// <summary>
/// Free means per step, reward the distance of the executed mask fractions to another curve plus unit noise (specs/schedule-policy.md 6):
/// advantages, Gaussian objective, links and counts together must learn the curve.
/// </summary>
public class ScheduleToyTests
{
    private const int Codes = 4096;
    private const int Groups = 32;
    private const int Group = 8;
    private const int Updates = 200;

    [Theory]
    [InlineData(8)]
    [InlineData(48)]
    public void RelativeModeImprovesTenfold(int steps)
    {
        var parametrization = new ScheduleParametrization(new() { Mode = RemaskMode.Relative, SigmaRemask = 0.3 });
        var advantages = new Advantages(new AdvantageSettings { Weights = [1], Epsilons = [1e-4] });
        var objective = new ClippedObjective(new ObjectiveSettings());
        var random = new Random(7);
        const int Images = Groups * Group;
        int segments = Images * steps;
        double[] mean = new double[steps];
        double[] first = new double[steps];
        double[] second = new double[steps];
        double[] raw = new double[segments * 4];
        double[] means = new double[segments * 4];
        bool[] last = [.. Enumerable.Range(0, segments).Select(s => s % steps == steps - 1)];
        double[] rewards = new double[Images];
        double[] perImage = new double[Images];
        double[] perSegment = new double[segments];
        double[] weights = [.. Enumerable.Repeat(1.0, segments)];
        double[] logRatios = new double[segments];
        double[] ratios = new double[segments];
        double[] surrogates = new double[segments];
        byte[] clipped = new byte[segments];
        float[] gradient = new float[segments * 4];
        double start = Reward(parametrization, mean, steps);
        for (int update = 1; update <= Updates; update++)
        {
            double[] actions = new double[steps];
            for (int b = 0; b < Images; b++)
            {
                for (int t = 0; t < steps; t++)
                {
                    actions[t] = mean[t] + (0.3 * TinyRun.Gaussian(random));
                    raw[((b * steps) + t) * 4] = actions[t];
                    means[((b * steps) + t) * 4] = mean[t];
                }

                rewards[b] = Reward(parametrization, actions, steps) + TinyRun.Gaussian(random);
            }

            advantages.Compute(rewards, Group, perImage);
            for (int s = 0; s < segments; s++)
            {
                perSegment[s] = perImage[s / steps];
            }

            objective.Actions(new ActionInput { RawActions = raw, Means = means, Sigma = parametrization.Sigma, LastStep = last },
                new SegmentInput { Advantages = perSegment, Weights = weights, Normalizer = segments },
                new SegmentOutput { LogRatios = logRatios, Ratios = ratios, Surrogates = surrogates, Clipped = clipped }, gradient);
            for (int t = 0; t < steps; t++)
            {
                double slope = 0;
                for (int b = 0; b < Images; b++)
                {
                    slope += gradient[((b * steps) + t) * 4];
                }

                // Adam (0.9, 0.95) with a rate of 0.02.
                first[t] = (0.9 * first[t]) + (0.1 * slope);
                second[t] = (0.95 * second[t]) + (0.05 * slope * slope);
                mean[t] -= 0.02 * first[t] / (1 - Math.Pow(0.9, update)) / (Math.Sqrt(second[t] / (1 - Math.Pow(0.95, update))) + 1e-12);
            }
        }

        double end = Reward(parametrization, mean, steps);
        Assert.InRange(start, -1.2, -0.6);
        Assert.True(end > start / 10, $"T={steps}: from {start:f3} to {end:f3}");
    }

    private static double Reward(ScheduleParametrization parametrization, ReadOnlySpan<double> actions, int steps)
    {
        ScheduleState state = ScheduleState.Start;
        Span<double> raw = stackalloc double[4];
        int masked = Codes;
        double squares = 0;
        for (int t = 0; t < steps; t++)
        {
            raw[0] = actions[t];
            double remask = parametrization.Apply(ref state, t, steps, raw, out _).Remask;
            masked = RemaskCount.Of(Codes, remask, masked, t, steps);
            double distance = (masked / (double)Codes) - Math.Pow(Math.Cos((t + 1) * Math.PI / 2 / steps), 1.5);
            squares += distance * distance;
        }

        return -100 * squares / steps;
    }
}
