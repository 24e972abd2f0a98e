namespace CoGrpo.Runtime.Sampling;

/// <summary>Input of <see cref="IMaskedModel.Predict"/>, all of it in device memory.</summary>
public readonly record struct MaskedBatch
{
    /// <summary>Int32 [B,N]: a code, or the mask token.</summary>
    public required Tensor Canvas { get; init; }

    /// <summary>Int32 [B] index of each image's prompt among those the model was given; 0 is the empty prompt.</summary>
    public required Tensor Prompts { get; init; }

    /// <summary>[B] share of positions that are masked, the model's time input.</summary>
    public required Tensor MaskedFractions { get; init; }

    /// <summary>t, the step of the loop.</summary>
    public required int Step { get; init; }

    /// <summary>T.</summary>
    public required int Steps { get; init; }

    /// <summary>
    /// Int32 [R], ascending: b*N + i of the positions whose logits are wanted. The head runs on these alone, and on no more than
    /// <see cref="Tensor.LiveRows"/> of them.
    /// </summary>
    public required Tensor Rows { get; init; }
}
