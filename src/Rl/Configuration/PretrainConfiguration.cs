namespace CoGrpo.Rl.Configuration;

/// <summary>Masked-token training of the base model.</summary>
public sealed record PretrainConfiguration
{
    /// <summary>Number of optimizer steps.</summary>
    [Bounds(1)]
    public int Steps { get; init; } = 6500;

    /// <summary>Pictures per step.</summary>
    [Bounds(1)]
    public int Batch { get; init; } = 64;

    /// <summary>Pictures per pass forward and backward; the batch is a multiple of it.</summary>
    [Bounds(1)]
    public int MicroBatch { get; init; } = 16;

    /// <summary>
    /// Drop the activations of each block and compute them again in the backward pass: less memory for one more forward pass. Same gradients.
    /// </summary>
    public bool RecomputeBlocks { get; init; }

    /// <summary>Peak learning rate.</summary>
    [Bounds(0, 1, Above = true)]
    public double LearningRate { get; init; } = 1.5e-3;

    /// <summary>Steps over which the rate rises linearly from 0.</summary>
    [Bounds(0)]
    public int Warmup { get; init; } = 100;

    /// <summary>Share of the steps, at the end, over which the rate falls linearly to 0.</summary>
    [Bounds(0, 1)]
    public double DecayFraction { get; init; } = 0.25;

    /// <summary>AdamW's decay rates of the two moments.</summary>
    [Count(2, 2), Bounds(0, 1, Below = true)]
    public IReadOnlyList<double> Betas { get; init; } = [0.9, 0.95];

    /// <summary>AdamW's epsilon.</summary>
    [Bounds(0, 1, Above = true)]
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>Decoupled weight decay, on matrices only.</summary>
    [Bounds(0, 10)]
    public double WeightDecay { get; init; } = 0.02;

    /// <summary>Limit of the global gradient norm; 0 for none.</summary>
    [Bounds(0)]
    public double ClipNorm { get; init; } = 1;

    /// <summary>Decay of the averaged weights, which are the result; 0 for no average.</summary>
    [Bounds(0, 1, Below = true)]
    public double Ema { get; init; } = 0.999;

    /// <summary>Share of the pictures trained with the empty prompt, which guidance needs.</summary>
    [Bounds(0, 1)]
    public double TextDropout { get; init; } = 0.1;

    /// <summary>How often each task is drawn.</summary>
    public TaskWeights TaskWeights { get; init; } = new();

    /// <summary>Steps between two lines of metrics.</summary>
    [Bounds(1)]
    public int LogEvery { get; init; } = 20;

    /// <summary>Steps between two evaluations; 0 for one at the end.</summary>
    [Bounds(0)]
    public int EvaluateEvery { get; init; } = 1000;

    /// <summary>Steps between two checkpoints.</summary>
    [Bounds(1)]
    public int CheckpointEvery { get; init; } = 500;

    /// <summary>Number of checkpoints kept.</summary>
    [Bounds(1)]
    public int KeepCheckpoints { get; init; } = 2;
}
