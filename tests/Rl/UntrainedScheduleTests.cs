using CoGrpo.Runtime.Backends;
using CoGrpo.Model.Schedule;
using CoGrpo.Rl.Training;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;
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
        sampler.Sample(
            new SampleRequest
            {
                Steps = steps,
                Prompts = prompts,
                Seed = 4,
            },
            new HandMadeSchedule(run.Parametrization.Settings.HandMade),
            hand
        );
        sampler.Sample(
            new SampleRequest
            {
                Steps = steps,
                Prompts = prompts,
                Seed = 4,
            },
            learned,
            mean
        );
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

    [Theory]
    [InlineData(4, 8)]
    [InlineData(8, 8)]
    [InlineData(8, 4)]
    public void MeansAreThoseOfTheNetworkAtTheRemappedTime(int steps, int trainedSteps)
    {
        using var run = new TinyRun();
        using var sampler = new MaskedSampler(run.Masked, new SamplerOptions());
        using var schedule = new LearnedSchedule(run.Policy, run.Parametrization, trainedSteps, (8, 8), All);
        var watch = new Watch(run);
        var record = new SampleRecord(1, 64, steps);
        sampler.Sample(new SampleRequest { Steps = steps, Prompts = [1], Seed = 4 }, schedule, record, watch);
        using Arena arena = run.Backend.CreateArena("policy", 1 << 20);
        var tape = new Tape(run.Backend, arena, arena);
        for (int t = 0; t < steps; t++)
        {
            tape.Begin(recording: false);
            Tensor features = arena.Allocate(new Shape(1, 64, 64));
            Tensor time = arena.Allocate(new Shape(1));
            run.Backend.Upload<float>(watch.Features[t], features);
            run.Backend.Upload<float>([(float)Math.Max(0, ((t + 1.0) * trainedSteps / steps) - 1)], time);
            float[] delta = run.Read(tape.Value(run.Policy.Forward(tape, features, 8, 8, time)));
            Assert.Equal(delta.Select(x => (double)x), record.Means[(4 * t)..(4 * (t + 1))]);
            Assert.Equal(record.Means[(4 * t)..(4 * (t + 1))], record.RawActions[(4 * t)..(4 * (t + 1))]);
            Assert.Contains(delta, x => Math.Abs(x) > 1e-3);
        }
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

    private sealed class Watch(TinyRun run) : ISampleObserver
    {
        public List<float[]> Features { get; } = [];

        public int RecordingVersion => IRecording.Never;

        public void OnStep(in SampleStep step) => Features.Add(run.Read(step.Features.Reshape(new Shape(64 * 64))));

        public void OnImages(int first, int count, int steps) => Assert.Equal(steps, Features.Count);
    }
}
