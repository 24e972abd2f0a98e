namespace CoGrpo.Runtime.Sampling;

/// <summary>Input of <see cref="IMaskedModel.Predict"/>: big data in device tensors, small per-image numbers on the host. Valid during the call.</summary>
public readonly ref struct MaskedBatch
{
    /// <summary>Int32 [B,N]: a code, or the mask token.</summary>
    public required Tensor Canvas { get; init; }

    /// <summary>[B] index of each image's prompt among those the model was given; 0 is the empty prompt.</summary>
    public required ReadOnlySpan<int> Prompts { get; init; }

    /// <summary>[B] share of positions that are masked, the model's time input.</summary>
    public required ReadOnlySpan<float> MaskedFractions { get; init; }

    /// <summary>Int32 [R], ascending: b*N + i of the positions whose logits are wanted. The head runs on these alone.</summary>
    public required Tensor Rows { get; init; }
}
