namespace CoGrpo.Rl.Configuration;

/// <summary>The phase that trains the model with the schedule held fixed.</summary>
public sealed record ModelPhaseConfiguration
{
    /// <summary>AdamW's rate.</summary>
    [Bounds(0, 1, Above = true)]
    public double LearningRate { get; init; } = 2e-4;

    /// <summary>Decoupled weight decay, on matrices only.</summary>
    [Bounds(0, 10)]
    public double WeightDecay { get; init; } = 0.02;

    /// <summary>AdamW's decay rates of the two moments.</summary>
    [Count(2, 2), Bounds(0, 1, Below = true)]
    public IReadOnlyList<double> Betas { get; init; } = [0.9, 0.95];

    /// <summary>AdamW's epsilon.</summary>
    [Bounds(0, 1, Above = true)]
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>G, trajectories per prompt.</summary>
    [Bounds(2, 1024)]
    public int Group { get; init; } = 6;

    /// <summary>B, trajectories per iteration: a multiple of the group.</summary>
    [Bounds(2)]
    public int Batch { get; init; } = 96;

    /// <summary>Trajectories per pass forward and backward; changes memory and speed only.</summary>
    [Bounds(1)]
    public int MicroBatch { get; init; } = 16;

    /// <summary>Steps of each trajectory that are trained, one from each of as many equal blocks; 0 ("all") for every step.</summary>
    [Bounds(0), ZeroIs("all")]
    public int StepsTrained { get; init; } = 4;

    /// <summary>The ratio is clipped below 1 minus this.</summary>
    [Bounds(0, 1, Above = true)]
    public double ClipEpsilon { get; init; } = 0.2;

    /// <summary>The ratio is clipped above 1 plus this; null for the same as <see cref="ClipEpsilon"/>.</summary>
    [Bounds(0, Above = true)]
    public double? ClipEpsilonHigh { get; init; }

    /// <summary>Greatest ratio that a negative advantage is weighted with; null for no limit.</summary>
    [Bounds(1, Above = true)]
    public double? TwoSidedCap { get; init; }

    /// <summary>Weight of the divergence (k3) from the model at the start; 0 keeps no reference.</summary>
    [Bounds(0)]
    public double Kl { get; init; }

    /// <summary>Optimizer steps per rollout.</summary>
    [Bounds(1, 100)]
    public int UpdatesPerRollout { get; init; } = 1;

    /// <summary>Limit of the global gradient norm; 0 for none.</summary>
    [Bounds(0)]
    public double GradClip { get; init; } = 1;

    /// <summary>Iterations over which the rate rises linearly.</summary>
    [Bounds(0)]
    public int Warmup { get; init; } = 3;

    /// <summary>Decay of the averaged weights used for evaluation; 0 for no average.</summary>
    [Bounds(0, 1, Below = true)]
    public double Ema { get; init; }

    /// <summary>How guidance enters the gradient.</summary>
    public GuidanceGradient CfgGrad { get; init; }

    /// <summary>Added to a group's standard deviation before dividing by it.</summary>
    [Bounds(0, 1)]
    public double AdvantageStdEps { get; init; } = 1e-4;

    /// <summary>Divide the loss by the share of groups whose rewards differ at all.</summary>
    public bool RescaleValidGroups { get; init; }

    /// <summary>Which actions the schedule policy takes while the model learns.</summary>
    public ActionChoice ActionsInModelPhase { get; init; }

    /// <summary>
    /// Drop the activations of each block and compute them again in the backward pass: less memory for one more forward pass. Same gradients.
    /// </summary>
    public bool RecomputeBlocks { get; init; }

    /// <summary>Low-rank adapters, trained in place of all weights when their rank is above 0.</summary>
    public LoraConfiguration Lora { get; init; } = new();
}
