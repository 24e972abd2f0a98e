using CoGrpo.Model.Schedule;
using CoGrpo.Rl.Training;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Backends.Cpu;
using CoGrpo.Runtime.Sampling;
using CoGrpo.Tests.Rl;
using CoGrpo.Tests.Runtime;

namespace CoGrpo.Tests.Cuda;

/// <summary>
/// The sampling loop through the kernels: from equal logits the CPU's codes to the bit, and one recorded graph that repeats the first run.
/// </summary>
public sealed class CudaSamplingTests
{
    private static readonly int[] Prompts = [3, 3, 1, 1, 2, 5, 5];

    [Theory]
    [InlineData(8, 9.0, 4)]
    [InlineData(1, 3.0, 7)]
    [InlineData(5, 1.0, 2)]
    [InlineData(19, 1.5, 3)]
    public void EqualLogitsGiveTheCodesOfTheCpu(int steps, double guidance, int microBatch)
    {
        HandMadeSchedule schedule = new(new HandMadeSettings { Guidance = guidance, RemaskTemperature = 1.3 });
        using CpuBackend cpu = new(2);
        using IBackend gpu = EmulatedGpu.Backend();
        Same(Sample(cpu, schedule, steps, microBatch), Sample(gpu, schedule, steps, microBatch + 1));
    }

    [Fact]
    public void ActionsOfEveryImageAreItsOwn()
    {
        ScheduleParametrization learned = new(new() { HandMade = new() { Guidance = 1.2 }, MinGuidance = 1, MaxGuidance = 4 });
        using CpuBackend cpu = new(2);
        using IBackend gpu = EmulatedGpu.Backend();
        Same(
            Sample(cpu, new NoisySchedule(learned, 0.8, cpu, features: true), 8, 3),
            Sample(gpu, new NoisySchedule(learned, 0.8, gpu, features: true), 8, 5)
        );
    }

    [Fact]
    public void InPaintingKeepsWhatIsKnown()
    {
        int[] start = [.. Enumerable.Range(0, Prompts.Length * 16).Select(i => i * 7 % 3 == 0 ? i % 21 : 26)];
        start.AsSpan(16, 16).Fill(4);
        HandMadeSchedule schedule = new(new() { Guidance = 2 });
        using CpuBackend cpu = new(1);
        using IBackend gpu = EmulatedGpu.Backend();
        Same(Sample(cpu, schedule, 6, 7, start), Sample(gpu, schedule, 6, 7, start));
    }

    /// <summary>A real model and a learned schedule: run as it is, then recorded, then replayed.</summary>
    [Theory]
    [InlineData(ElementType.Float32, 75)]
    [InlineData(ElementType.BFloat16, 80)]
    public void TheRecordedLoopRepeatsTheFirst(ElementType storage, int architecture)
    {
        using var run = new TinyRun(steps: 3, device: EmulatedGpu.Device(storage, architecture));
        SampleRecord[] records = [.. Enumerable.Range(0, 3).Select(_ => new SampleRecord(3, 64, 3))];
        using var schedule = new LearnedSchedule(run.Policy, run.Parametrization, 3, (8, 8), [true, true, true, true]) { ExplorationSeed = 1 };
        using var sampler = new MaskedSampler(run.Masked, new SamplerOptions());
        int[] recorded = new int[3];
        for (int i = 0; i < 3; i++)
        {
            sampler.Sample(new SampleRequest { Steps = 3, Prompts = [1, 2, 1], Seed = 5 }, schedule, records[i]);
            recorded[i] = sampler.RecordedLoops;
        }

        Assert.Equal([0, 1, 1], recorded);
        Same(records[0], records[1]);
        Same(records[0], records[2]);

        // Another seed and other prompts are values in device memory: the same graph serves them.
        var other = new SampleRecord(3, 64, 3);
        sampler.Sample(new SampleRequest { Steps = 3, Prompts = [1, 2, 1], Seed = 6 }, schedule, other);
        Assert.Equal(1, sampler.RecordedLoops);
        Assert.NotEqual(records[0].Tokens, other.Tokens);
    }

    /// <summary>In fp32 the logits of the two backends differ by rounding alone, and no draw of this run falls between.</summary>
    [Fact]
    public void ARealModelDrawsTheCodesOfTheCpu()
    {
        using var cpu = new TinyRun(steps: 3);
        using var gpu = new TinyRun(steps: 3, device: EmulatedGpu.Device());
        Trajectories expected = cpu.Rollout(), actual = gpu.Rollout();
        Assert.Equal(expected.Tokens, actual.Tokens);
        Assert.Equal(expected.DecodedStep, actual.DecodedStep);
        Near(Array.ConvertAll(expected.LogProb, x => (double)x), Array.ConvertAll(actual.LogProb, x => (double)x), 1e-4);
        Near(expected.RawActions, actual.RawActions, 1e-5);
    }

    private static SampleRecord Sample(IBackend backend, ISchedule schedule, int steps, int microBatch, int[]? start = null)
    {
        SampleRecord record = new(Prompts.Length, 16, steps);
        using MaskedSampler sampler = new(new ToyMaskedModel(backend), new SamplerOptions { MicroBatch = microBatch });
        sampler.Sample(new SampleRequest { Steps = steps, Prompts = Prompts, Seed = 77, FirstTrajectory = 40, Start = start }, schedule, record);
        return record;
    }

    private static void Near(double[] expected, double[] actual, double most) =>
        Assert.InRange(expected.Zip(actual, (a, b) => Math.Abs(a - b)).Max(), 0, most);

    private static void Same(SampleRecord expected, SampleRecord actual)
    {
        Assert.Equal(expected.Tokens, actual.Tokens);
        Assert.Equal(expected.DecodedStep, actual.DecodedStep);
        Assert.Equal(expected.LogProb, actual.LogProb);
        Assert.Equal(expected.Actions, actual.Actions);
        Assert.Equal(expected.MaskedBefore, actual.MaskedBefore);
    }
}
