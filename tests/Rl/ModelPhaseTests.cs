using CoGrpo.Rl;
using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.Training;
using CoGrpo.Runtime.Autograd;

namespace CoGrpo.Tests.Rl;

/// <summary>The model phase on a real network against the objective written a second time.</summary>
public class ModelPhaseTests
{
    // fp32 gradients of two orders of summation: 1e-5 of the norm is some hundred roundings of 6e-8, against 1 for a missing term.
    private const double Rounding = 1e-5;

    [Theory]
    [InlineData(GuidanceGradient.Both, false)]
    [InlineData(GuidanceGradient.DetachUncond, false)]
    [InlineData(GuidanceGradient.None, false)]
    [InlineData(GuidanceGradient.Both, true)]
    public void GradientIsAdvantageWeightedGradientOfFullLogits(GuidanceGradient mode, bool downsample)
    {
        using var run = new TinyRun(downsample: downsample, steps: downsample ? 3 : 4);
        Trajectories trajectories = run.Rollout();
        float[] phase = run.ModelGradient(TinyRun.ModelPhase(2, mode), trajectories, out PhaseMetrics metrics);
        float[] independent = new IndependentObjective(run).Gradient(trajectories, mode);
        Assert.InRange(IndependentObjective.Distance(phase, independent), 0, Rounding);
        Assert.Equal(IndependentObjective.Norm(phase), metrics.GradientNorm, 1e-6);
        Assert.True(metrics.ConditionalGradientSquares > 0);
        Assert.Equal(mode == GuidanceGradient.Both, metrics.UnconditionalGradientSquares > 0);
    }

    [Fact]
    public void EveryWeightOfTheTransformerIsReached()
    {
        using var run = new TinyRun();
        run.ModelGradient(TinyRun.ModelPhase(2), run.Rollout(), out _);
        ParameterStore store = run.Lanes.Lanes[0].Model.Transformer.Parameters;
        Assert.All(store.Parameters, p => Assert.True(run.Read(p.Gradient).Any(x => x != 0), p.Name));
    }

    [Fact]
    public void StoredLogProbabilitiesAreThoseOfTheNetwork()
    {
        using var run = new TinyRun();
        Trajectories trajectories = run.Rollout();
        double[] expected = new IndependentObjective(run).LogProbs(run.Masked, run.Masked, GuidanceGradient.Both, trajectories);
        Assert.All(expected.Zip(trajectories.LogProb), x => Assert.Equal(x.First, x.Second, 2e-5));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(64)]
    public void MicroBatchDoesNotChangeTheGradient(int microBatch)
    {
        using var run = new TinyRun();
        Trajectories trajectories = run.Rollout();
        float[] expected = run.ModelGradient(TinyRun.ModelPhase(2), trajectories, out PhaseMetrics a);
        float[] got = run.ModelGradient(TinyRun.ModelPhase(2) with { MicroBatch = microBatch }, trajectories, out PhaseMetrics b);
        Assert.InRange(IndependentObjective.Distance(got, expected), 0, Rounding);
        Assert.Equal(a.Objective.LossPolicy, b.Objective.LossPolicy, 1e-12);
    }

    [Fact]
    public void PromptOrderDoesNotChangeTheGradient()
    {
        using var run = new TinyRun();
        Trajectories a = run.Rollout(images: 6);
        using var b = new Trajectories(run.Backend, 6, a.Codes, a.Steps);
        int[] order = [4, 5, 0, 1, 2, 3];
        double[] rewards = [.3, .7, .1, .2, .9, .4];
        var advantages = new Advantages(new AdvantageSettings { Weights = [1], Epsilons = [1e-4] });
        advantages.Compute(rewards, 2, a.Advantages);
        advantages.Compute([.. order.Select(i => rewards[i])], 2, b.Advantages);
        for (int i = 0; i < 6; i++)
        {
            int from = order[i];
            Array.Copy(a.Tokens, from * a.Codes, b.Tokens, i * a.Codes, a.Codes);
            Array.Copy(a.DecodedStep, from * a.Codes, b.DecodedStep, i * a.Codes, a.Codes);
            Array.Copy(a.LogProb, from * a.Codes, b.LogProb, i * a.Codes, a.Codes);
            Array.Copy(a.Actions, from * a.Steps, b.Actions, i * a.Steps, a.Steps);
            b.Prompts[i] = a.Prompts[from];
            Assert.Equal(a.Advantages[from], b.Advantages[i]);
        }

        for (int group = 0; group < 6; group += 2)
        {
            Assert.Equal(0, a.Advantages[group] + a.Advantages[group + 1], 1e-12);
        }

        float[] expected = run.ModelGradient(TinyRun.ModelPhase(2), a, out _);
        Assert.InRange(IndependentObjective.Distance(run.ModelGradient(TinyRun.ModelPhase(2), b, out _), expected), 0, Rounding);
    }

    [Fact]
    public void AStepThatDecodesNothingIsFinite()
    {
        using var run = new TinyRun();
        Trajectories trajectories = run.Rollout();
        foreach (ref ushort step in trajectories.DecodedStep.AsSpan())
        {
            step = step == 1 ? (ushort)2 : step;
        }

        // One micro-batch of empty segments alone, and empty segments among others. The stored log-probabilities of the moved codes are
        // of another canvas, so this is the stored path.
        foreach (int microBatch in new[] { 1, 5 })
        {
            float[] gradient = run.ModelGradient(
                TinyRun.ModelPhase(2) with
                {
                    MicroBatch = microBatch,
                },
                trajectories,
                out PhaseMetrics metrics,
                update: 1
            );
            Assert.All(gradient, g => Assert.True(float.IsFinite(g)));
            Assert.True(double.IsFinite(metrics.Objective.Loss));
            Assert.Equal(16, metrics.Objective.Segments);
            Assert.Equal(256, metrics.Objective.Rows);
        }
    }

    [Fact]
    public void ASecondUpdateIsClippedAndItsRatiosAreThoseOfARecomputation()
    {
        using var run = new TinyRun();
        Trajectories trajectories = run.Rollout();
        using var phase = new ModelPhase(run.Lanes, TinyRun.ModelPhase(2) with { LearningRate = 2e-4 });
        PhaseMetrics first = phase.Update(trajectories, 0, TinyRun.Seed, 0, 1);
        Assert.Equal(0, first.Objective.ClipFractionHigh + first.Objective.ClipFractionLow);
        double[] now = new IndependentObjective(run).LogProbs(run.Masked, run.Masked, GuidanceGradient.Both, trajectories);
        double[] old = [.. trajectories.LogProb.Select(x => (double)x)];
        double[] ratios = [.. Enumerable.Range(0, 16).Select(s => Math.Exp(IndependentObjective.LogRatio(trajectories, now, old, s / 4, s % 4)))];
        PhaseMetrics second = phase.Update(trajectories, 1, TinyRun.Seed, 0, 1);

        // A segment sums up to 64 fp32 log-probabilities of magnitude 6: 64 · 6 · 2^-22 is 1e-4.
        Assert.Equal(1, second.Objective.RatioMean / ratios.Average(), 1e-4);
        Assert.Equal(1, second.Objective.RatioMin / ratios.Min(), 1e-4);
        Assert.Equal(1, second.Objective.RatioMax / ratios.Max(), 1e-4);
        bool[] up = [.. Enumerable.Range(0, 16).Select(s => trajectories.Advantages[s / 4] > 0)];
        Assert.Equal(ratios.Where((r, s) => r > 1.2 && up[s]).Count(), second.Objective.ClippedHigh);
        Assert.Equal(ratios.Where((r, s) => r < 0.8 && !up[s]).Count(), second.Objective.ClippedLow);
        Assert.True(second.Objective.ClipFractionHigh + second.Objective.ClipFractionLow > 0);
    }

    [Fact]
    public void DivergenceFromTheStartIsZeroFirstAndPositiveAfter()
    {
        using var run = new TinyRun();
        Trajectories trajectories = run.Rollout();
        using var phase = new ModelPhase(run.Lanes, TinyRun.ModelPhase(2) with { LearningRate = 1e-3, Kl = 0.1 });
        Assert.Equal(0, phase.Update(trajectories, 0, TinyRun.Seed, 0, 1).Objective.LossKl);
        PhaseMetrics second = phase.Update(trajectories, 1, TinyRun.Seed, 0, 1);
        Assert.True(second.Objective.LossKl > 0);

        // Weights that moved count as the next rollout's, the reference stays.
        Trajectories next = run.Rollout();
        PhaseMetrics third = phase.Update(next, 0, TinyRun.Seed, 1, 1);
        Assert.Equal(0, third.Objective.RolloutMismatch);
        Assert.True(third.Objective.LossKl > 0);
    }
}
