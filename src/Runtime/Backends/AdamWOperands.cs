namespace CoGrpo.Runtime.Backends;

/// <summary>Operands of <see cref="IBackend.AdamW"/>: runs of n elements, contiguous.</summary>
public readonly record struct AdamWOperands
{
    /// <summary>Elements whose decay one entry of <see cref="Decays"/> decides.</summary>
    public const int DecayBlock = 64;

    /// <summary>[n] fp32 parameters.</summary>
    public required Tensor Parameter { get; init; }

    /// <summary>[n] accumulated gradients; zero afterwards.</summary>
    public required Tensor Gradient { get; init; }

    /// <summary>[n] first moments.</summary>
    public required Tensor FirstMoment { get; init; }

    /// <summary>[n] second moments.</summary>
    public required Tensor SecondMoment { get; init; }

    /// <summary>UInt8 [ceil(n/64)]: 1 where the parameters of the block decay; none: all do.</summary>
    public Tensor Decays { get; init; }

    /// <summary>Float64 [1]: sum of squares of all gradients that are clipped together.</summary>
    public required Tensor SquaredNorm { get; init; }

    /// <summary>[n] of the storage type: the copy that networks compute with; or none.</summary>
    public Tensor Compute { get; init; }

    /// <summary>[n] fp32 exponential average; or none.</summary>
    public Tensor Average { get; init; }

    /// <summary>Decay d of the average.</summary>
    public float AverageDecay { get; init; }
}
