using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.Training;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Tests.Rl;

/// <summary>What an update sees of a rollout: the same canvases, the same log-probabilities to the bit.</summary>
public class RolloutTests
{
    [Theory]
    [InlineData(1, 4, 5)]
    [InlineData(1, 3, 16)]
    [InlineData(2, 2, 3)]
    [InlineData(3, 1, 1)]
    public void BeforeAnUpdateEveryRatioIsExactlyOne(int lanes, int sampleMicroBatch, int microBatch)
    {
        using var run = new TinyRun(lanes, sampleMicroBatch);
        Trajectories trajectories = run.Rollout(images: 6);
        float[] model = run.ModelGradient(TinyRun.ModelPhase(2) with { MicroBatch = microBatch }, trajectories, out PhaseMetrics modelMetrics);
        float[] schedule = run.ScheduleGradient(TinyRun.SchedulePhase(2), trajectories, out PhaseMetrics scheduleMetrics);
        foreach (ref readonly PhaseMetrics metrics in (ReadOnlySpan<PhaseMetrics>)[modelMetrics, scheduleMetrics])
        {
            Assert.Equal(0, metrics.Objective.RolloutMismatch);
            Assert.Equal(6 * run.Steps, metrics.Objective.Segments);
            Assert.Equal((1.0, 1.0, 1.0), (metrics.Objective.RatioMean, metrics.Objective.RatioMin, metrics.Objective.RatioMax));
            Assert.Equal((0L, 0L), (metrics.Objective.ClippedHigh, metrics.Objective.ClippedLow));
            Assert.Equal(0, metrics.Objective.ApproximateKl);
        }

        Assert.True(IndependentObjective.Norm(model) > 1e-3);
        Assert.True(IndependentObjective.Norm(schedule) > 1e-3);

        // The stored path sees the same: its log-ratios are 0, not merely small.
        run.ModelGradient(TinyRun.ModelPhase(2), trajectories, out PhaseMetrics stored, update: 1);
        Assert.Equal((1.0, 1.0), (stored.Objective.RatioMin, stored.Objective.RatioMax));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void AHandMadeRolloutAndAHalvedGridHaveRatioOneToo(bool downsample)
    {
        using var run = new TinyRun(2, downsample: downsample);
        Trajectories trajectories = run.Rollout(fixedSchedule: new HandMadeSchedule(run.Parametrization.Settings.HandMade));
        run.ModelGradient(TinyRun.ModelPhase(2), trajectories, out PhaseMetrics metrics);
        Assert.Equal(0, metrics.Objective.RolloutMismatch);
    }

    [Fact]
    public void RebuiltCanvasesAreThoseOfTheRollout()
    {
        using var run = new TinyRun(steps: 8);
        const int Images = 5;
        const int Codes = 64;
        using var sampler = new MaskedSampler(run.Masked, new SamplerOptions { MicroBatch = 3 });
        using var schedule = new CoGrpo.Model.Schedule.LearnedSchedule(run.Policy, run.Parametrization, 8, (8, 8), [true, true, true, true])
        {
            ExplorationSeed = 5,
        };
        var watch = new CanvasWatch(run.Backend, Images, Codes, 8);
        var record = new SampleRecord(Images, Codes, 8);
        sampler.Sample(new SampleRequest { Steps = 8, Prompts = [1, 1, 2, 3, 2], Seed = 9 }, schedule, record, watch);
        using var trajectories = new Trajectories(run.Backend, Images, Codes, 8);
        trajectories.Store(record, 0);

        int[] canvas = new int[Codes];
        for (int b = 0; b < Images; b++)
        {
            int decoded = 0;
            for (int t = 0; t < 8; t++)
            {
                int masked = trajectories.Canvas(b, t, run.Masked.MaskToken, canvas);
                Assert.Equal(watch.Canvases[(b * 8) + t], canvas);
                Assert.Equal(canvas.Count(c => c == run.Masked.MaskToken), masked);
                Assert.Equal(trajectories.MaskedBefore[(b * 8) + t], masked);

                // I_t is what the next canvas knows beyond this one.
                int[] after = t == 7 ? [.. trajectories.Tokens.Skip(b * Codes).Take(Codes).Select(x => (int)x)] : watch.Canvases[(b * 8) + t + 1];
                int[] known = [.. Enumerable.Range(0, Codes).Where(i => canvas[i] == run.Masked.MaskToken && after[i] != run.Masked.MaskToken)];
                Assert.Equal(known, Enumerable.Range(0, Codes).Where(i => trajectories.DecodedStep[(b * Codes) + i] == t));
                decoded += known.Length;
            }

            Assert.Equal(Codes, decoded);
        }
    }

    [Fact]
    public void LanesAndMicroBatchesDoNotChangeASample()
    {
        using var one = new TinyRun();
        using var three = new TinyRun(3, 1);
        Trajectories a = one.Rollout(images: 6);
        Trajectories b = three.Rollout(images: 6);
        Assert.Equal(a.Tokens, b.Tokens);
        Assert.Equal(a.DecodedStep, b.DecodedStep);
        Assert.Equal(a.LogProb, b.LogProb);
        Assert.Equal(a.RawActions, b.RawActions);
        Assert.Equal(a.Means, b.Means);
        Assert.Equal(one.Read(a.Features), three.Read(b.Features));
        float[] model = one.ModelGradient(TinyRun.ModelPhase(2), a, out _);
        Assert.InRange(IndependentObjective.Distance(three.ModelGradient(TinyRun.ModelPhase(2), b, out _), model), 0, 1e-5);
        float[] schedule = one.ScheduleGradient(TinyRun.SchedulePhase(2), a, out _);
        Assert.InRange(IndependentObjective.Distance(three.ScheduleGradient(TinyRun.SchedulePhase(2), b, out _), schedule), 0, 1e-5);
    }

    private sealed class CanvasWatch(IBackend backend, int images, int codes, int steps) : ISampleObserver
    {
        private readonly List<int[]> _steps = [];

        public int[][] Canvases { get; } = new int[images * steps][];

        public int RecordingVersion => IRecording.Never;

        public void OnStep(in SampleStep step)
        {
            int[] all = new int[step.Canvas.Shape.Count];
            backend.Download<int>(step.Canvas, all);
            _steps.Add(all);
        }

        public void OnImages(int first, int count, int steps)
        {
            Assert.Equal(8, steps);
            for (int t = 0; t < steps; t++)
            {
                for (int b = 0; b < count; b++)
                {
                    Canvases[((first + b) * steps) + t] = _steps[t][(b * codes)..((b + 1) * codes)];
                }
            }

            _steps.Clear();
        }
    }
}
