using CoGrpo.Model.Schedule;
using CoGrpo.Rl.Training;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Tests.Rl;

/// <summary>The learned schedule on the real model: its start, its transfer to other step counts, its last step.</summary>
public class UntrainedScheduleTests
{
    private static readonly bool[] All = [true, true, true, true];

    [Theory]
    [InlineData(4, 4)]
    [InlineData(8, 8)]
    [InlineData(16, 16)]
    [InlineData(16, 8)]
    [InlineData(4, 8)]
    public void MeanActionsOfAnUntrainedPolicyAreTheHandMadeSampleToTheBit(int steps, int trainedSteps)
    {
        using var run = new TinyRun(untrained: true);
        using var sampler = new MaskedSampler(run.Masked, new SamplerOptions { MicroBatch = 2 });
        using var learned = new LearnedSchedule(run.Policy, run.Parametrization, trainedSteps, (8, 8), All);
        var hand = new SampleRecord(3, 64, steps);
        var mean = new SampleRecord(3, 64, steps);
        int[] prompts = [1, 2, 2];
        sampler.Sample(new SampleRequest { Steps = steps, Prompts = prompts, Seed = 4 }, new HandMadeSchedule(run.Parametrization.Settings.HandMade), hand);
        sampler.Sample(new SampleRequest { Steps = steps, Prompts = prompts, Seed = 4 }, learned, mean);
        Assert.Equal(hand.Tokens, mean.Tokens);
        Assert.Equal(hand.DecodedStep, mean.DecodedStep);

        // softplus of its inverse returns a temperature of 1 and a guidance of 2 up to fp64 rounding, so fp32 sees the same numbers.
        Assert.Equal(hand.LogProb, mean.LogProb);
    }

    [Fact]
    public void RemappedTimeKeepsTheShareOfTheSchedule()
    {
        for (int t = 0; t < 48; t++)
        {
            Assert.Equal(t, LearnedSchedule.RemappedStep(t, 48, 48));
        }

        foreach (int steps in new[] { 8, 16, 32, 64, 96 })
        {
            for (int t = 0; t < steps; t++)
            {
                double remapped = LearnedSchedule.RemappedStep(t, steps, 48);
                Assert.InRange(remapped, 0, 47);
                double share = (t + 1.0) / steps;
                Assert.Equal(Math.Max(share, 1.0 / 48), (remapped + 1) / 48, 1e-12);
            }

            Assert.Equal(47, LearnedSchedule.RemappedStep(steps - 1, steps, 48));
        }
    }

    [Fact]
    public void ATrainedPolicyActsAlikeAtTheSameShareOfAnotherStepCount()
    {
        // At the first step all canvases are fully masked, so features agree; share 1/4 is step 0 of 4.
        using var run = new TinyRun();
        using var sampler = new MaskedSampler(run.Masked, new SamplerOptions { MicroBatch = 2 });
        using var at4 = new LearnedSchedule(run.Policy, run.Parametrization, 4, (8, 8), All);
        using var at8 = new LearnedSchedule(run.Policy, run.Parametrization, 8, (8, 8), All);
        var four = new Means();
        var eight = new Means();
        var record = new SampleRecord(1, 64, 4);
        int[] prompts = [1];
        sampler.Sample(new SampleRequest { Steps = 4, Prompts = prompts, Seed = 4 }, at4, record, four);
        sampler.Sample(new SampleRequest { Steps = 4, Prompts = prompts, Seed = 4 }, at8, record, eight);
        Assert.NotEqual(four.First, eight.First);
        Assert.Contains(four.First, x => Math.Abs(x) > 1e-3);
    }

    [Fact]
    public void RemaskActionsOfTheLastStepDoNotCount()
    {
        using var run = new TinyRun();
        Trajectories trajectories = run.Rollout();
        float[] before = run.ScheduleGradient(TinyRun.SchedulePhase(2), trajectories, out _);
        for (int b = 0; b < trajectories.Images; b++)
        {
            int last = ((b * 4) + 3) * 4;
            trajectories.RawActions[last] += 5;
            trajectories.RawActions[last + 2] -= 5;
        }

        Assert.Equal(before, run.ScheduleGradient(TinyRun.SchedulePhase(2), trajectories, out PhaseMetrics metrics, update: 1));
        Assert.Equal(1, metrics.Objective.RatioMax);
        for (int b = 0; b < trajectories.Images; b++)
        {
            trajectories.RawActions[(((b * 4) + 3) * 4) + 1] += 1;
        }

        Assert.NotEqual(before, run.ScheduleGradient(TinyRun.SchedulePhase(2), trajectories, out _));
    }

    [Fact]
    public void ActionsThatAreNotTrainedGetNoGradient()
    {
        using var run = new TinyRun(trained: [false, true, false, false]);
        float[] gradient = run.ScheduleGradient(TinyRun.SchedulePhase(2), run.Rollout(), out _);
        var bias = run.Policy.Parameters.Find("linear3.bias")!;
        float[] actions = gradient[(int)bias.Offset..((int)bias.Offset + 4)];
        Assert.Equal([0f, 0f, 0f], [actions[0], actions[2], actions[3]]);
        Assert.NotEqual(0, actions[1]);
    }

    private sealed class Means : ISampleObserver
    {
        public double[] First { get; private set; } = [];

        public void OnStep(in SampleStep step) => First = step.Step == 0 ? step.Means.ToArray() : First;
    }
}
