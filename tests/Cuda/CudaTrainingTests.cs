using CoGrpo.Model.Lora;
using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.Pretraining;
using CoGrpo.Rl.Training;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends.Cpu;
using CoGrpo.Tests.Rl;

namespace CoGrpo.Tests.Cuda;

/// <summary>
/// Training of a tiny model through the kernels: one pre-training step, one iteration of each phase, and their gradients beside the CPU's.
/// </summary>
public sealed class CudaTrainingTests
{
    public static TheoryData<ElementType, int> Devices =>
        new()
        {
            { ElementType.Float32, 75 },
            { ElementType.BFloat16, 80 },
            { ElementType.BFloat16, 90 },
        };

    [Theory]
    [MemberData(nameof(Devices))]
    public void APretrainingStepIsThatOfTheCpu(ElementType storage, int architecture)
    {
        var options = new PretrainingOptions { Steps = 100, Batch = 4, MicroBatch = 3, Lanes = 1 };
        using var cpu = new TinyRun();
        using var gpu = new TinyRun(device: EmulatedGpu.Device(storage, architecture));
        using var expected = new Pretrainer(cpu.Model, cpu.World, options, 1, () => new CpuBackend(1));
        using var actual = new Pretrainer(gpu.Model, gpu.World, options, 1, () => gpu.Device.LaneBackend(1));
        PretrainingMetrics wanted = expected.Train(), got = actual.Train();
        double near = storage == ElementType.Float32 ? 1e-5 : 2e-2;
        Assert.Equal(wanted.Loss, got.Loss, near * wanted.Loss);
        Assert.Equal(wanted.GradientNorm, got.GradientNorm, 2 * near * wanted.GradientNorm);
    }

    /// <summary>
    /// <see cref="ModelPhase"/> and <see cref="SchedulePhase"/> stop where the ratio of the first update is not exactly 1: an iteration that ends has
    /// it. Here it is looked at once more.
    /// </summary>
    [Theory]
    [MemberData(nameof(Devices))]
    public void AnIterationOfEachPhaseTrainsWithARatioOfOne(ElementType storage, int architecture)
    {
        using var run = new TinyRun(steps: 3, device: EmulatedGpu.Device(storage, architecture));
        CoGrpoTrainer trainer = run.Trainer(run.Configuration(TrainMode.CoGrpo, 1, 1));
        float[] model = run.Read(run.Model.Transformer.Parameters.Values), policy = run.Read(run.Policy.Parameters.Values);
        Assert.Equal([Phase.Model, Phase.Schedule], trainer.Plan);

        PhaseMetrics first = Assert.NotNull(trainer.Train().Model);
        Assert.Equal((1.0, 1.0), (first.Objective.RatioMin, first.Objective.RatioMax));
        Assert.True(double.IsFinite(first.GradientNorm) && first.GradientNorm > 0);
        Assert.NotEqual(model, run.Read(run.Model.Transformer.Parameters.Values));
        Assert.Equal(policy, run.Read(run.Policy.Parameters.Values));

        model = run.Read(run.Model.Transformer.Parameters.Values);
        PhaseMetrics second = Assert.NotNull(trainer.Train().Schedule);
        Assert.Equal((1.0, 1.0), (second.Objective.RatioMin, second.Objective.RatioMax));
        Assert.True(double.IsFinite(second.GradientNorm) && second.GradientNorm > 0);
        Assert.Equal(model, run.Read(run.Model.Transformer.Parameters.Values));
        Assert.NotEqual(policy, run.Read(run.Policy.Parameters.Values));
    }

    /// <summary>
    /// Adapters with recomputed blocks: the frozen weights stay as they are, in both types, and the ratio is 1 before the first update.
    /// </summary>
    [Theory]
    [MemberData(nameof(Devices))]
    public void AnIterationOfAdaptersTrainsWithARatioOfOne(ElementType storage, int architecture)
    {
        using var run = new TinyRun(
            steps: 3,
            device: EmulatedGpu.Device(storage, architecture),
            lora: new LoraConfig(4, 6, [LoraTargets.Attention, LoraTargets.Mlp])
        );
        run.Jitter(run.Model.Transformer.Trained, 9, 0.1);
        RunConfiguration configuration = run.Configuration(TrainMode.CoGrpo, 1, 0);
        configuration = configuration with { Train = configuration.Train with { Model = configuration.Train.Model with { RecomputeBlocks = true } } };
        CoGrpoTrainer trainer = run.Trainer(configuration);
        float[] frozen = run.Read(run.Model.Transformer.Parameters.Values), adapters = run.Read(run.Model.Transformer.Trained.Values);
        PhaseMetrics metrics = Assert.NotNull(trainer.Train().Model);
        Assert.Equal((1.0, 1.0), (metrics.Objective.RatioMin, metrics.Objective.RatioMax));
        Assert.True(double.IsFinite(metrics.GradientNorm) && metrics.GradientNorm > 0);
        Assert.Equal(frozen, run.Read(run.Model.Transformer.Parameters.Values));
        Assert.NotEqual(adapters, run.Read(run.Model.Transformer.Trained.Values));
    }

    [Fact]
    public void GradientsOfAdaptersAreThoseOfTheCpu()
    {
        var lora = new LoraConfig(4, 6, [LoraTargets.Attention, LoraTargets.Mlp]);
        using var cpu = new TinyRun(steps: 3, lora: lora);
        using var gpu = new TinyRun(steps: 3, lora: lora, device: EmulatedGpu.Device());
        cpu.Jitter(cpu.Model.Transformer.Trained, 9, 0.1);
        gpu.Jitter(gpu.Model.Transformer.Trained, 9, 0.1);
        Trajectories expected = cpu.Rollout(), actual = gpu.Rollout();
        Assert.Equal(expected.Tokens, actual.Tokens);
        Near(cpu.ModelGradient(TinyRun.ModelPhase(2), expected, out _), gpu.ModelGradient(TinyRun.ModelPhase(2), actual, out _), 2e-4);
    }

    /// <summary>
    /// Adapters that have not learned change nothing: to the bit, but for the MLP's first layer in bf16, whose sum is rounded once more before its
    /// activation.
    /// </summary>
    [Theory]
    [InlineData(ElementType.Float32, LoraTargets.Mlp)]
    [InlineData(ElementType.Float32, LoraTargets.Attention)]
    [InlineData(ElementType.BFloat16, LoraTargets.Attention)]
    public void FreshAdaptersHaveTheBitsOfTheBase(ElementType storage, string target)
    {
        using var plain = new TinyRun(steps: 2, device: EmulatedGpu.Device(storage));
        using var adapted = new TinyRun(steps: 2, device: EmulatedGpu.Device(storage), lora: new LoraConfig(8, 4, [target]));
        Trajectories expected = plain.Rollout(images: 2), actual = adapted.Rollout(images: 2);
        Assert.Equal(expected.Tokens, actual.Tokens);
        Assert.Equal(expected.LogProb, actual.LogProb);
    }

    [Fact]
    public void GradientsOfBothPhasesAreThoseOfTheCpu()
    {
        using var cpu = new TinyRun(downsample: true, steps: 3);
        using var gpu = new TinyRun(downsample: true, steps: 3, device: EmulatedGpu.Device());
        Trajectories expected = cpu.Rollout(), actual = gpu.Rollout();
        Assert.Equal(expected.Tokens, actual.Tokens);
        Near(cpu.ModelGradient(TinyRun.ModelPhase(2), expected, out _), gpu.ModelGradient(TinyRun.ModelPhase(2), actual, out _), 2e-4);
        Near(cpu.ScheduleGradient(TinyRun.SchedulePhase(2), expected, out _), gpu.ScheduleGradient(TinyRun.SchedulePhase(2), actual, out _), 2e-4);
    }

    /// <summary>In bf16 a gradient points where that of fp32 points.</summary>
    [Fact]
    public void HalfPrecisionLeavesTheDirectionOfTheGradient()
    {
        using var cpu = new TinyRun(steps: 3);
        using var gpu = new TinyRun(steps: 3, device: EmulatedGpu.Device(ElementType.BFloat16));
        Trajectories expected = cpu.Rollout(), actual = gpu.Rollout();
        double same = expected.Tokens.Zip(actual.Tokens).Count(pair => pair.First == pair.Second) / (double)expected.Tokens.Length;
        Assert.True(same > 0.5, $"{same:P0} of the codes are those of fp32");
        float[] gradient = gpu.ModelGradient(TinyRun.ModelPhase(2), actual, out _);

        // The same trajectories, whatever drew them, in fp32 on the CPU.
        using Trajectories moved = Moved(cpu, actual);
        float[] wide = cpu.ModelGradient(TinyRun.ModelPhase(2), moved, out _, update: 1);
        double cosine =
            wide.Zip(gradient, (a, b) => (double)a * b).Sum() / Math.Sqrt(wide.Sum(a => (double)a * a) * gradient.Sum(b => (double)b * b));
        Assert.True(cosine > 0.99, $"cosine {cosine}");
    }

    private static Trajectories Moved(TinyRun run, Trajectories source)
    {
        var moved = new Trajectories(run.Backend, source.Images, source.Codes, source.Steps);
        source.Tokens.CopyTo(moved.Tokens, 0);
        source.DecodedStep.CopyTo(moved.DecodedStep, 0);
        source.LogProb.CopyTo(moved.LogProb, 0);
        source.Actions.CopyTo(moved.Actions, 0);
        source.MaskedBefore.CopyTo(moved.MaskedBefore, 0);
        source.Prompts.CopyTo(moved.Prompts, 0);
        source.Advantages.CopyTo(moved.Advantages, 0);
        return moved;
    }

    private static void Near(float[] expected, float[] actual, double relative)
    {
        double norm = Math.Sqrt(expected.Sum(x => (double)x * x));
        double distance = Math.Sqrt(expected.Zip(actual, (a, b) => (double)(a - b) * (a - b)).Sum());
        Assert.True(distance <= relative * norm, $"distance {distance / norm} of the norm, {relative} allowed");
    }
}
