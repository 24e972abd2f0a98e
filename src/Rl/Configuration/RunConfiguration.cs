namespace CoGrpo.Rl.Configuration;

/// <summary>
/// Everything that determines a run. The defaults of each record are the preset <c>emoji-scenes</c>; <see cref="Presets"/> holds the others.
/// Instances that <see cref="ConfigurationLoader"/> returns obey every rule of <see cref="ConfigurationRules"/>.
/// </summary>
public sealed record RunConfiguration
{
    /// <summary>The set of defaults that a file and overrides were laid over.</summary>
    public PresetName Preset { get; init; }

    /// <summary>Seed of every random number of the run.</summary>
    [Bounds(0)]
    public long Seed { get; init; }

    /// <summary>Where the arithmetic runs.</summary>
    public DeviceName Device { get; init; }

    /// <summary>Element type of activations and weights on a GPU.</summary>
    public PrecisionName Precision { get; init; }

    /// <summary>Matrix product on a GPU.</summary>
    public GemmChoice Gemm { get; init; }

    /// <summary>Number of CPU threads; 0 for all cores. Results do not depend on it.</summary>
    [Bounds(0, 1024)]
    public int Threads { get; init; }

    /// <summary>
    /// Replicas of the networks that work on micro-batches at once, each with its share of the threads. Sampled pictures do not depend on it;
    /// trained weights do, in rounding, because it orders the sum of gradients. 1 for models that fill all cores by themselves, and on a GPU whatever
    /// this says.
    /// </summary>
    [Bounds(1, 256)]
    public int Lanes { get; init; } = 2;

    /// <summary>Prompts and pictures.</summary>
    public DataConfiguration Data { get; init; } = new();

    /// <summary>The network, from a checkpoint or from scratch.</summary>
    public ModelConfiguration Model { get; init; } = new();

    /// <summary>How pictures are sampled.</summary>
    public SamplingConfiguration Sampling { get; init; } = new();

    /// <summary>The learned schedule.</summary>
    public ScheduleConfiguration Schedule { get; init; } = new();

    /// <summary>Masked-token training of the base model.</summary>
    public PretrainConfiguration Pretrain { get; init; } = new();

    /// <summary>Reinforcement learning.</summary>
    public TrainConfiguration Train { get; init; } = new();

    /// <summary>Where results go.</summary>
    public OutputConfiguration Output { get; init; } = new();
}
