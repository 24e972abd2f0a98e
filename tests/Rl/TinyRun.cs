using CoGrpo.Model;
using CoGrpo.Model.Clip;
using CoGrpo.Model.Lora;
using CoGrpo.Model.Meissonic;
using CoGrpo.Model.Schedule;
using CoGrpo.Model.TextToImage;
using CoGrpo.Rl;
using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.Training;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Tests.Rl;

/// <summary>A real model, policy and lanes small enough for a test: two heads of 32, one block of each kind, 8 x 8 feature tokens.</summary>
internal sealed class TinyRun : IDisposable
{
    public const ulong Seed = 11;

    private readonly List<IDisposable> _owned = [];
    private readonly int[] _ids;

    /// <param name="lanes">Replicas.</param>
    /// <param name="sampleMicroBatch">Images sampled together.</param>
    /// <param name="downsample">Whether the model halves its grid; the picture is then 16 x 16 codes.</param>
    /// <param name="steps">T.</param>
    /// <param name="untrained">Keeps the policy at its initial weights, δ = 0.</param>
    /// <param name="trained">Which actions the policy controls; null for all.</param>
    /// <param name="guidance">Hand-made s.</param>
    /// <param name="device">Where; the CPU without. Owned from here on.</param>
    /// <param name="lora">Adapters to train, or null for all weights.</param>
    /// <param name="time">What the model is told about time.</param>
    public TinyRun(
        int lanes = 1,
        int sampleMicroBatch = 4,
        bool downsample = false,
        int steps = 4,
        bool untrained = false,
        IReadOnlyList<bool>? trained = null,
        double guidance = 2,
        ComputeDevice? device = null,
        LoraConfig? lora = null,
        TimeInput time = TimeInput.MaskedFraction
    )
    {
        Device = Own(device ?? ComputeDevice.Cpu());
        int side = downsample ? 16 : 8;
        Steps = steps;
        World = new TinyWorld(side);
        Model = Own(new TextToImageModel(Transformer(downsample), Text(), Backend));
        Policy = Own(new SchedulePolicy(SchedulePolicyConfig.ForWidth(64), Backend));
        Initialisation.FromScratch(Model.Transformer.Parameters, Backend, 1);
        Initialisation.FromScratch(Model.TextEncoder.Parameters, Backend, 2);
        Initialisation.SchedulePolicy(Policy.Parameters, Backend, 3);

        // Away from the identity blocks and the zero policy of a fresh start, where most gradients vanish.
        Jitter(Model.Transformer.Parameters, 4, 0.05);
        Jitter(Model.TextEncoder.Parameters, 5, 0.2);
        if (lora is not null)
        {
            Model.Transformer.AddLora(LoraTargets.Select(lora, Model.Transformer.LoraSlots)).Initialise(Seed);
        }

        if (!untrained)
        {
            Jitter(Policy.Parameters, 6, 0.05);
        }

        Parametrization = new ScheduleParametrization(new() { HandMade = new() { Guidance = guidance } });
        Setup = new LaneSetup(Model, Policy, Parametrization, steps, trained ?? [true, true, true, true], side, side, 4, sampleMicroBatch, time);
        Lanes = Own(new LaneSet(Setup, lanes, () => Device.LaneBackend(1)));
        Masked = Own(new TextToImageMaskedModel(Model, side, side, 4, time));
        var table = new PromptTable(World);
        table.Set([new TinyPrompt("a"), new TinyPrompt("b"), new TinyPrompt("c")]);
        _ids = table.Ids.ToArray();
        Lanes.SetPrompts(_ids);
        Masked.SetPrompts(_ids);
    }

    public ComputeDevice Device { get; }

    public IBackend Backend => Device.Backend;

    public TinyWorld World { get; }

    public int Steps { get; }

    public TextToImageModel Model { get; }

    public SchedulePolicy Policy { get; }

    public ScheduleParametrization Parametrization { get; }

    public LaneSetup Setup { get; }

    public LaneSet Lanes { get; }

    /// <summary>The model with the prompts of <see cref="Lanes"/>, on the main backend.</summary>
    public TextToImageMaskedModel Masked { get; }

    /// <summary>Defaults of the model phase for tests: all steps, no clipping of the gradient norm.</summary>
    public static ModelPhaseConfiguration ModelPhase(int group, GuidanceGradient gradient = GuidanceGradient.Both) =>
        new() { Group = group, MicroBatch = 5, StepsTrained = 0, GradClip = 0, CfgGrad = gradient, WeightDecay = 0, Warmup = 0 };

    /// <summary>Defaults of the schedule phase for tests.</summary>
    public static SchedulePhaseConfiguration SchedulePhase(int group) => new() { Group = group, GradClip = 0, WeightDecay = 0 };

    /// <summary>Something this run disposes of.</summary>
    public T Own<T>(T value)
        where T : IDisposable
    {
        _owned.Add(value);
        return value;
    }

    /// <summary>Samples trajectories of equal groups with prompts 1, 2, 3, 1, ... and gives them fixed advantages of both signs.</summary>
    public Trajectories Rollout(int images = 4, int group = 2, bool explore = true, ISchedule? fixedSchedule = null)
    {
        var trajectories = Own(
            new Trajectories(Backend, images, Setup.Height * Setup.Width, Steps, fixedSchedule is null ? new Shape(64, 64) : default, Backend.Storage)
        );
        for (int b = 0; b < images; b++)
        {
            trajectories.Prompts[b] = 1 + (b / group % 3);
            trajectories.Advantages[b] = (b % 2 == 0 ? 1 : -1) * (0.5 + (0.25 * (b / 2 % 3)));
        }

        Lanes.Sample(trajectories, fixedSchedule, explore ? Seed : null, Seed, 100, group);
        return trajectories;
    }

    /// <summary>The gradient a model update would use, with the weights left as they are.</summary>
    public float[] ModelGradient(
        ModelPhaseConfiguration configuration,
        Trajectories trajectories,
        out PhaseMetrics metrics,
        int update = 0,
        long iteration = 0
    )
    {
        using var phase = new ModelPhase(Lanes, configuration with { LearningRate = 0 });
        metrics = phase.Gradients(trajectories, update, Seed, iteration, 1);
        float[] gradient = Read(Model.Transformer.Trained.Gradients);
        metrics.GradientNorm = phase.Optimizer.Step(0);
        return gradient;
    }

    /// <summary>The gradient a schedule update would use, with the weights left as they are.</summary>
    public float[] ScheduleGradient(SchedulePhaseConfiguration configuration, Trajectories trajectories, out PhaseMetrics metrics, int update = 0)
    {
        using var phase = new SchedulePhase(Lanes, configuration with { LearningRate = 0 }, 0);
        metrics = phase.Gradients(trajectories, update, 1);
        float[] gradient = Read(Policy.Parameters.Gradients);
        metrics.GradientNorm = phase.Optimizer.Step(0);
        return gradient;
    }

    /// <summary>Values of a run of weights or gradients.</summary>
    public float[] Read(Tensor run)
    {
        float[] values = new float[run.Shape.Count];
        Backend.Download<float>(run, values);
        return values;
    }

    /// <summary>A configuration for a trainer on this run: four trajectories in groups of two, one reward.</summary>
    public RunConfiguration Configuration(TrainMode mode, int model = 1, int schedule = 1, double learningRate = 1e-3) => new()
    {
        Seed = (long)Seed,
        Sampling = new() { Steps = Steps, MicroBatch = Setup.SampleMicroBatch, HandMade = new() { Guidance = Parametrization.Settings.HandMade.Guidance } },
        Train = new()
        {
            Mode = mode,
            Cycles = [new() { Model = model, Schedule = schedule }],
            Model = ModelPhase(2) with { Batch = 4, LearningRate = learningRate },
            Schedule = SchedulePhase(2) with { Batch = 4, LearningRate = learningRate },
            Rewards = [new() { Name = RewardName.Adherence, Weight = 1 }],
        },
    };

    /// <summary>A trainer over the lanes.</summary>
    public CoGrpoTrainer Trainer(RunConfiguration configuration, IReward? reward = null, Action<Trajectories>? sampled = null) =>
        Own(new CoGrpoTrainer(configuration, Lanes, World, [reward ?? new CodeShareReward()], World, null) { Sampled = sampled });

    public void Dispose()
    {
        for (int i = _owned.Count - 1; i >= 0; i--)
        {
            _owned[i].Dispose();
        }
    }

    public static TransformerConfig Transformer(bool downsample) => new()
    {
        NumAttentionHeads = 2,
        AttentionHeadDim = 32,
        AxesDimsRope = [8, 12, 12],
        NumLayers = 1,
        NumSingleLayers = 1,
        JointAttentionDim = 64,
        PooledProjectionDim = 64,
        CodebookSize = 431,
        VocabSize = 432,
        Downsample = downsample,
        Upsample = downsample,
    };

    public static ClipTextConfig Text() => new()
    {
        HiddenSize = 64,
        IntermediateSize = 128,
        ProjectionDim = 64,
        NumHiddenLayers = 1,
        NumAttentionHeads = 2,
        MaxPositionEmbeddings = 8,
        VocabSize = 53,
        EosTokenId = -1,
    };

    /// <summary>Adds normal numbers of this deviation to all weights of a store.</summary>
    public void Jitter(ParameterStore store, int seed, double deviation) => Jitter(Backend, store, seed, deviation);

    /// <summary>The same on any backend.</summary>
    public static void Jitter(IBackend backend, ParameterStore store, int seed, double deviation)
    {
        var random = new Random(seed);
        foreach (Parameter parameter in store.Parameters)
        {
            float[] values = new float[parameter.Shape.Count];
            backend.Download<float>(parameter.Value.Reshape(new Shape(values.Length)), values);
            for (int i = 0; i < values.Length; i++)
            {
                values[i] += (float)(deviation * Gaussian(random));
            }

            backend.Upload<float>(values, parameter.Value);
        }

        store.RenewComputeCopy();
    }

    /// <summary>A normal number.</summary>
    public static double Gaussian(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
