namespace CoGrpo.Rl.Pretraining;

/// <summary>Settings of a <see cref="Pretrainer"/>.</summary>
public sealed record PretrainingOptions
{
    /// <summary>Optimizer steps of the whole run.</summary>
    public int Steps { get; init; } = 8000;

    /// <summary>Pictures per step.</summary>
    public int Batch { get; init; } = 64;

    /// <summary>Pictures per forward and backward pass; gradients accumulate over the batch.</summary>
    public int MicroBatch { get; init; } = 16;

    /// <summary>Replicas that process micro-batches at once; part of the result's identity, since it orders the gradient sum.</summary>
    public int Lanes { get; init; } = 2;

    /// <summary>Largest learning rate.</summary>
    public double LearningRate { get; init; } = 1.5e-3;

    /// <summary>Steps of linear warm-up.</summary>
    public int Warmup { get; init; } = 100;

    /// <summary>Last share of the run over which the rate falls linearly to zero.</summary>
    public double DecayFraction { get; init; } = 0.25;

    /// <summary>Adam's β1.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>Adam's β2.</summary>
    public double Beta2 { get; init; } = 0.95;

    /// <summary>Adam's ε.</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>Decoupled weight decay of matrices.</summary>
    public double WeightDecay { get; init; } = 0.02;

    /// <summary>Largest global gradient norm.</summary>
    public double ClipNorm { get; init; } = 1;

    /// <summary>Decay of the weight average.</summary>
    public double Ema { get; init; } = 0.998;

    /// <summary>Probability that a picture is shown with the empty prompt.</summary>
    public double TextDropout { get; init; } = 0.1;

    /// <summary>Whether blocks are recomputed in the backward pass to save memory.</summary>
    public bool RecomputeBlocks { get; init; }

    /// <summary>Picture pixels per code in each direction, for the size micro-conditions.</summary>
    public int PixelsPerCode { get; init; } = 4;

    /// <summary>Warm-up, constant, linear decay.</summary>
    public double LearningRateAt(long step)
    {
        double up = Math.Min(1, (step + 1.0) / Math.Max(1, Warmup));
        double decaySteps = Math.Max(1, DecayFraction * Steps);
        double down = Math.Min(1, (Steps - step) / decaySteps);
        return LearningRate * Math.Min(up, Math.Max(0, down));
    }
}
