using CoGrpo.Model.TextToImage;
using CoGrpo.Rl;
using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.Training;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Tests.Rl;

/// <summary>
/// Gradients of both phases against differences of losses that are computed elsewhere. Central differences at h and 2h are extrapolated,
/// which leaves a truncation error of order h^4; their difference is the h² error that was removed and bounds what is left from above.
/// </summary>
public class FiniteDifferenceTests
{
    [Theory]
    [InlineData(GuidanceGradient.Both)]
    [InlineData(GuidanceGradient.DetachUncond)]
    [InlineData(GuidanceGradient.None)]
    public void ModelLossThroughGuidanceAndTemperature(GuidanceGradient mode)
    {
        using var run = new TinyRun();
        Trajectories trajectories = run.Rollout();
        Assert.True(trajectories.Actions.Select(a => a.SamplingTemperature).Distinct().Count() > 10);
        Assert.True(trajectories.Actions.Select(a => a.Guidance).Distinct().Count() > 10);
        float[] gradient = run.ModelGradient(TinyRun.ModelPhase(2, mode), trajectories, out _);
        TextToImageModel frozen = run.Own(new TextToImageModel(run.Model.Transformer.Config, run.Model.TextEncoder.Config, run.Backend));
        frozen.CopyFrom(run.Model);
        TextToImageMaskedModel frozenMasked = run.Own(new TextToImageMaskedModel(frozen, 8, 8, 4));
        frozenMasked.SharePrompts(run.Masked);
        TextToImageMaskedModel unconditional = mode == GuidanceGradient.DetachUncond ? frozenMasked : run.Masked;
        var objective = new IndependentObjective(run);
        double[] old = objective.LogProbs(run.Masked, run.Masked, mode, trajectories);
        ParameterStore store = run.Model.Transformer.Parameters;

        // L averages 256 log-probabilities with errors of about 6·2^-22: 1e-7. Over 2h times a slope of |g| that stays below 1 % for
        // 2h|g| of 1e-4 and more; steps are set to move L by 2e-3.
        double step = 1e-3 / IndependentObjective.Norm(gradient);
        foreach (float[] direction in Directions(gradient, 3))
        {
            Check(run, store, store.Values, gradient, direction, step,
                () => IndependentObjective.Loss(trajectories, objective.LogProbs(run.Masked, unconditional, mode, trajectories), old), "transformer");
        }
    }

    [Fact]
    public void ScheduleLossForEveryParameterGroup()
    {
        using var run = new TinyRun();
        Trajectories trajectories = run.Rollout(images: 8);
        float[] gradient = run.ScheduleGradient(TinyRun.SchedulePhase(2), trajectories, out _);
        ParameterStore store = run.Policy.Parameters;
        foreach (Parameter parameter in store.Parameters)
        {
            int count = checked((int)parameter.Shape.Count);
            float[] own = gradient[(int)parameter.Offset..((int)parameter.Offset + count)];
            double norm = IndependentObjective.Norm(own);
            Assert.True(norm > 1e-5, $"{parameter.Name}: gradient {norm}");
            Tensor flat = parameter.Value.Reshape(new Shape(count));

            // A step of 0.05 at most keeps the network in its smooth range where the gradient is small.
            double step = Math.Min(0.05, 2e-3 / norm);
            foreach (float[] direction in Directions(own, 1))
            {
                Check(run, store, flat, own, direction, step, () => ScheduleLoss(run, trajectories), parameter.Name);
            }
        }
    }

    /// <summary>
    /// The gradient's direction plus a random one of the same length: the first gives the slope its size, the second looks elsewhere.
    /// </summary>
    internal static IEnumerable<float[]> Directions(float[] gradient, int count)
    {
        var random = new Random(gradient.Length);
        double norm = IndependentObjective.Norm(gradient);
        for (int d = 0; d < count; d++)
        {
            double[] noise = [.. gradient.Select(_ => TinyRun.Gaussian(random))];
            double length = Math.Sqrt(noise.Sum(x => x * x));
            yield return [.. gradient.Zip(noise, (g, n) => (float)((g / norm) + (n / length)))];
        }
    }

    internal static void Check(
        TinyRun run,
        ParameterStore store,
        Tensor values,
        float[] gradient,
        float[] direction,
        double step,
        Func<double> loss,
        string name
    )
    {
        float[] origin = run.Read(values);
        double At(double h)
        {
            run.Backend.Upload<float>([.. origin.Zip(direction, (x, d) => (float)(x + (h * d)))], values);
            return loss();
        }

        double one = (At(step) - At(-step)) / (2 * step);
        double two = (At(2 * step) - At(-2 * step)) / (4 * step);
        run.Backend.Upload<float>(origin, values);
        double expected = gradient.Zip(direction, (g, d) => (double)g * d).Sum();
        double extrapolated = one + ((one - two) / 3);
        double tolerance = (0.01 * Math.Abs(expected)) + (0.1 * Math.Abs(one - two));
        Assert.True(
            Math.Abs(extrapolated - expected) <= tolerance,
            $"{name}: gradient {expected:g6}, differences {one:g6} and {two:g6} at {step:g2}"
        );
        Assert.True(Math.Abs(one - two) < 0.2 * Math.Abs(expected), $"{name}: step {step:g2} too large, {one:g6} and {two:g6}");
    }

    private static double ScheduleLoss(TinyRun run, Trajectories t)
    {
        using Arena arena = run.Backend.CreateArena("policy", 1 << 20);
        var tape = new Tape(run.Backend, arena, arena);
        tape.Begin(recording: false);
        int segments = t.Images * t.Steps;
        Tensor time = arena.Allocate(new Shape(segments));
        run.Backend.Upload<float>([.. Enumerable.Range(0, segments).Select(s => (float)(s % t.Steps))], time);
        float[] means = run.Read(tape.Value(run.Policy.Forward(tape, t.Features.Reshape(new Shape(segments, 64, 64)), 8, 8, time)));
        double sum = 0;
        for (int s = 0; s < segments; s++)
        {
            double logRatio = 0;
            for (int k = 0; k < 4; k++)
            {
                if (s % t.Steps < t.Steps - 1 || k is 1 or 3)
                {
                    double raw = t.RawActions[(s * 4) + k];
                    double sigma = run.Parametrization.Sigma[k];
                    logRatio += (Square(raw - t.Means[(s * 4) + k]) - Square(raw - means[(s * 4) + k])) / (2 * sigma * sigma);
                }
            }

            sum += t.Advantages[s / t.Steps] * Math.Exp(logRatio);
        }

        return -sum / segments;
    }

    private static double Square(double x) => x * x;
}
