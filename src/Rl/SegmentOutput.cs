namespace CoGrpo.Rl;

/// <summary>What is known of each segment afterwards; every span has one element per segment.</summary>
public readonly ref struct SegmentOutput
{
    /// <summary>Log of the ratio that entered the loss, before the clamp; 0 on-policy and in an empty segment.</summary>
    public required Span<double> LogRatios { get; init; }

    /// <summary>exp of the clamped log-ratio.</summary>
    public required Span<double> Ratios { get; init; }

    /// <summary>J = min(ratio·A, clip(ratio)·A).</summary>
    public required Span<double> Surrogates { get; init; }

    /// <summary>1 where the clipped branch was the smaller one, so that no gradient flows.</summary>
    public required Span<byte> Clipped { get; init; }
}
