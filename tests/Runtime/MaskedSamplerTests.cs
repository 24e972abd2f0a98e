using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Backends.Cpu;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Tests.Runtime;

/// <summary>The sampling loop on a closed-form model: counts, what may not change, and what the split of work may not change.</summary>
public class MaskedSamplerTests
{
    private static readonly int[] Prompts = [3, 3, 3, 1, 1, 1, 2, 3, 1, 5, 5];

    [Theory]
    [InlineData(8, 9.0)]
    [InlineData(8, 1.0)]
    [InlineData(1, 3.0)]
    [InlineData(16, 3.0)]
    [InlineData(40, 1.5)]
    public void EveryPositionIsDecodedOnceOnSchedule(int steps, double guidance)
    {
        HandMadeSettings hand = new() { Guidance = guidance };
        Run run = Run.Of(new HandMadeSchedule(hand), steps: steps);
        for (int b = 0; b < Prompts.Length; b++)
        {
            int masked = 16;
            for (int t = 0; t < steps; t++)
            {
                int decoded = run.Record.DecodedStep.AsSpan(b * 16, 16).Count(t);
                int after = RemaskCount.Of(16, hand.At(t, steps).Remask, masked, t, steps);
                Assert.Equal(masked, run.Record.MaskedBefore[(b * steps) + t]);
                Assert.Equal(masked - after, decoded);
                Assert.Equal(hand.At(t, steps), run.Record.Actions[(b * steps) + t]);
                masked = after;
            }

            Assert.Equal(0, masked);
        }

        Assert.All(run.Record.Tokens, x => Assert.InRange(x, 0, 20));
        Assert.All(run.Record.LogProb, x => Assert.InRange(x, -40f, 0f));
        Assert.Equal(guidance == 1 ? 0 : 1 + (Prompts.Length * (steps - 1)), run.Model.UnconditionalImages);
    }

    [Fact]
    public void ZeroActionsGiveTheHandMadeSampleToTheBit()
    {
        HandMadeSettings hand = new() { Guidance = 1.5 };
        Run plain = Run.Of(new HandMadeSchedule(hand));
        foreach (RemaskMode mode in Enum.GetValues<RemaskMode>())
        {
            Run learned = Run.Of(new ScheduleParametrization(new() { HandMade = hand, Mode = mode }), 0, new SamplerOptions(), 2);
            Assert.Equal(plain.Record.Tokens, learned.Record.Tokens);
            Assert.Equal(plain.Record.DecodedStep, learned.Record.DecodedStep);
            Assert.Equal(plain.Record.LogProb, learned.Record.LogProb);
        }
    }

    [Theory]
    [InlineData(1, 1, true)]
    [InlineData(1, 1, false)]
    [InlineData(3, 2, true)]
    [InlineData(4, 3, false)]
    [InlineData(11, 2, false)]
    [InlineData(64, 1, true)]
    public void SplitThreadsAndSharingChangeNothing(int microBatch, int threads, bool share)
    {
        // Clamped guidance makes some images unguided next to guided ones.
        ScheduleParametrization learned = new(new() { HandMade = new() { Guidance = 1.2 }, MinGuidance = 1, MaxGuidance = 4 });
        Run expected = Run.Of(learned, 0.8, new SamplerOptions { MicroBatch = 5 }, 2);
        Run run = Run.Of(learned, 0.8, new SamplerOptions { MicroBatch = microBatch, ShareFirstStep = share }, threads);
        Assert.Equal(expected.Record.Tokens, run.Record.Tokens);
        Assert.Equal(expected.Record.DecodedStep, run.Record.DecodedStep);
        Assert.Equal(expected.Record.LogProb, run.Record.LogProb);
        Assert.Equal(expected.Record.Actions, run.Record.Actions);
        Assert.Equal(expected.Record.MaskedBefore, run.Record.MaskedBefore);
    }

    [Fact]
    public void GuidedAndUnguidedImagesDoNotSeeEachOther()
    {
        foreach (bool share in new[] { true, false })
        {
            Run together = Run.Of(backend => new AlternatingGuidance(backend), new SamplerOptions { MicroBatch = 64, ShareFirstStep = share });
            Run alone = Run.Of(backend => new AlternatingGuidance(backend), new SamplerOptions { MicroBatch = 1, ShareFirstStep = share });
            Assert.Equal(alone.Record.Tokens, together.Record.Tokens);
            Assert.Equal(alone.Record.LogProb, together.Record.LogProb);
        }
    }

    [Fact]
    public void TheFirstStepIsSharedAmongEqualPrompts()
    {
        Run shared = Run.Of(new HandMadeSchedule(new()), steps: 1);
        Assert.Equal(4, shared.Model.ConditionalImages);
        Assert.Equal(1, shared.Model.UnconditionalImages);
        Run plain = Run.Of(new HandMadeSchedule(new()), steps: 1, options: new SamplerOptions { ShareFirstStep = false });
        Assert.Equal(Prompts.Length, plain.Model.ConditionalImages);
        Assert.Equal(Prompts.Length, plain.Model.UnconditionalImages);
    }

    [Fact]
    public void InPaintingChangesMaskedPositionsOnly()
    {
        using CpuBackend cpu = new(2);
        IBackend backend = cpu;
        ToyMaskedModel model = new(backend);
        int[] start = [.. Enumerable.Range(0, 3 * 16).Select(i => (i * 7) % 3 == 0 ? i % 21 : model.MaskToken)];
        start.AsSpan(16, 16).Fill(4);
        SampleRecord record = new(3, 16, 6);
        Watcher watcher = new(backend, model);
        using MaskedSampler sampler = new(model, new SamplerOptions());
        sampler.Sample(
            new SampleRequest
            {
                Steps = 6,
                Prompts = [1, 2, 1],
                Seed = 9,
                Start = start,
            },
            new HandMadeSchedule(new() { Guidance = 2 }),
            record,
            watcher
        );
        for (int i = 0; i < start.Length; i++)
        {
            bool known = start[i] != model.MaskToken;
            Assert.Equal(known, record.DecodedStep[i] == -1);
            Assert.True(!known || (record.Tokens[i] == start[i] && record.LogProb[i] == 0));
            Assert.NotEqual(model.MaskToken, record.Tokens[i]);
        }

        Assert.Equal(6, watcher.Steps);
        int masked = start.AsSpan(0, 16).Count(model.MaskToken);
        Assert.Equal(RemaskCount.Of(16, Math.Cos(Math.PI / 12) * masked / 16, masked, 0, 6), record.MaskedBefore[1]);
    }

    [Fact]
    public void ObservedCanvasesAreThoseTheRecordRebuilds()
    {
        using CpuBackend cpu = new(2);
        ToyMaskedModel model = new(cpu);
        Watcher watcher = new(cpu, model);
        SampleRecord record = new(Prompts.Length, 16, 8);
        using MaskedSampler sampler = new(model, new SamplerOptions { MicroBatch = 4 });
        NoisySchedule schedule = new(new ScheduleParametrization(new()), 0.3, cpu, features: true);
        sampler.Sample(new SampleRequest { Steps = 8, Prompts = Prompts, Seed = 9, FirstTrajectory = 100 }, schedule, record, watcher);
        Assert.Equal(24, watcher.Steps);
        foreach ((int image, int step, int[] canvas) in watcher.Seen)
        {
            Assert.Equal(record.MaskedBefore[(image * 8) + step], canvas.Count(x => x == model.MaskToken));
            for (int i = 0; i < 16; i++)
            {
                int at = (image * 16) + i;
                Assert.Equal(record.DecodedStep[at] < step ? record.Tokens[at] : model.MaskToken, canvas[i]);
            }

            Assert.Contains(record.RawActions.AsSpan(((image * 8) + step) * 4, 4).ToArray(), x => x != 0);
        }
    }

    [Fact]
    public void AWarmCallAllocatesNothing()
    {
        using CpuBackend cpu = new(2);
        ToyMaskedModel model = new(cpu);
        SampleRecord record = new(Prompts.Length, 16, 8);
        using MaskedSampler sampler = new(model, new SamplerOptions { MicroBatch = 4 });
        HandMadeSchedule schedule = new(new());
        for (int i = 0; i < 40; i++)
        {
            sampler.Sample(new SampleRequest { Steps = 8, Prompts = Prompts, Seed = 9 }, schedule, record);
        }

        long reserved = sampler.ReservedBytes;
        long before = GC.GetAllocatedBytesForCurrentThread();
        sampler.Sample(new SampleRequest { Steps = 8, Prompts = Prompts, Seed = 9 }, schedule, record);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(reserved, sampler.ReservedBytes);
    }

    [Fact]
    public void WrongSizesAreNamed()
    {
        using CpuBackend cpu = new(1);
        ToyMaskedModel model = new(cpu);
        using MaskedSampler sampler = new(model, new SamplerOptions());
        HandMadeSchedule schedule = new(new());
        Assert.Throws<ArgumentException>(() =>
            sampler.Sample(
                new SampleRequest
                {
                    Steps = 4,
                    Prompts = [1],
                    Seed = 1,
                },
                schedule,
                new SampleRecord(2, 16, 4)
            )
        );
        Assert.Throws<ArgumentException>(() =>
            sampler.Sample(
                new SampleRequest
                {
                    Steps = 4,
                    Prompts = [1],
                    Seed = 1,
                    Start = [1, 2],
                },
                schedule,
                new SampleRecord(1, 16, 4)
            )
        );
        Assert.Throws<ArgumentException>(() =>
            sampler.Sample(
                new SampleRequest
                {
                    Steps = 1,
                    Prompts = [1],
                    Seed = 1,
                    Start = Enumerable.Repeat(22, 16).ToArray(),
                },
                schedule,
                new SampleRecord(1, 16, 1)
            )
        );
    }

    private sealed class AlternatingGuidance(IBackend backend) : ISchedule
    {
        private int _firstImage;

        public bool NeedsFeatures => false;

        public int RecordingVersion => IRecording.Never;

        public bool Guides(int step, int steps) => true;

        public void Begin(in ScheduleCall call) => _firstImage = call.FirstImage;

        public void Act(in ScheduleStep step)
        {
            double[] actions = new double[step.Actions.Shape.Count];
            for (int b = 0; b < step.Actions.Rows; b++)
            {
                ScheduleAction action = new HandMadeSettings().At(step.Step, step.Steps) with
                {
                    Guidance = (_firstImage + b + step.Step) % 3 == 0 ? 1 : 2.5,
                };
                for (int k = 0; k < 4; k++)
                {
                    actions[(4 * b) + k] = action.Component(k);
                }
            }

            backend.Upload<double>(actions, step.Actions);
        }
    }

    private sealed class Watcher(IBackend backend, ToyMaskedModel model) : ISampleObserver
    {
        private readonly List<(int Step, int[] Canvas)> _steps = [];

        public int Steps { get; private set; }

        public int RecordingVersion => IRecording.Never;

        public List<(int Image, int Step, int[] Canvas)> Seen { get; } = [];

        public void OnStep(in SampleStep step)
        {
            Steps++;
            int[] canvas = new int[step.Canvas.Shape.Count];
            backend.Download<int>(step.Canvas, canvas);
            _steps.Add((step.Step, canvas));
            Assert.All(Doubles(step.Actions), x => Assert.True(double.IsFinite(x)));
        }

        public void OnImages(int first, int count, int steps)
        {
            foreach ((int step, int[] canvas) in _steps)
            {
                Assert.Equal(count * model.Codes, canvas.Length);
                for (int b = 0; b < count; b++)
                {
                    Seen.Add((first + b, step, canvas.AsSpan(b * model.Codes, model.Codes).ToArray()));
                }
            }

            _steps.Clear();
        }

        private double[] Doubles(CoGrpo.Runtime.Tensor tensor)
        {
            double[] values = new double[tensor.Shape.Count];
            backend.Download<double>(tensor, values);
            return values;
        }
    }

    private sealed record Run(SampleRecord Record, ToyMaskedModel Model)
    {
        public static Run Of(ISchedule schedule, SamplerOptions? options = null, int threads = 2, int steps = 8)
        {
            using CpuBackend cpu = new(threads);
            return Of(cpu, schedule, options ?? new SamplerOptions(), steps);
        }

        public static Run Of(Func<IBackend, ISchedule> schedule, SamplerOptions options)
        {
            using CpuBackend cpu = new(2);
            return Of(cpu, schedule(cpu), options, 8);
        }

        public static Run Of(ScheduleParametrization learned, double scale, SamplerOptions options, int threads)
        {
            using CpuBackend cpu = new(threads);
            return Of(cpu, new NoisySchedule(learned, scale, cpu, features: scale != 0), options, 8);
        }

        private static Run Of(IBackend backend, ISchedule schedule, SamplerOptions options, int steps)
        {
            ToyMaskedModel model = new(backend);
            SampleRecord record = new(Prompts.Length, 16, steps);
            using MaskedSampler sampler = new(model, options);
            sampler.Sample(new SampleRequest { Steps = steps, Prompts = Prompts, Seed = 77, FirstTrajectory = 40 }, schedule, record);
            return new Run(record, model);
        }
    }
}
