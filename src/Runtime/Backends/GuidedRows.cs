namespace CoGrpo.Runtime.Backends;

/// <summary>
/// Which positions of which images rows of logits belong to, and with which schedule each image is drawn. All tensors are device memory,
/// so that nothing of it has to be known to the host.
/// </summary>
public readonly record struct GuidedRows
{
    /// <summary>Int32 [R]: row r belongs to position rows[r] mod N of image rows[r] / N. <see cref="Tensor.LiveRows"/> is honoured.</summary>
    public required Tensor Rows { get; init; }

    /// <summary>N.</summary>
    public required int Codes { get; init; }

    /// <summary>Float64 [B,4] actions r, τ_s, τ_r, s of each image, used in fp32. An image of s = 1 takes the conditional row alone.</summary>
    public required Tensor Actions { get; init; }

    /// <summary>Int32 [B] global trajectory numbers, the last word of the noise's address.</summary>
    public required Tensor Trajectories { get; init; }

    /// <summary>None when row r stands in row r of the conditional input; else Int32 [B*N]: where the row of position rows[r] stands.</summary>
    public Tensor ConditionalAt { get; init; }

    /// <summary>As <see cref="ConditionalAt"/> for the unconditional input.</summary>
    public Tensor UnconditionalAt { get; init; }

    /// <summary>Int32 [B,N] out: the code drawn at each position of <see cref="Rows"/>.</summary>
    public required Tensor Tokens { get; init; }

    /// <summary>[B,N] out: log softmax(z/τ_s) of that code.</summary>
    public required Tensor LogProb { get; init; }

    /// <summary>[B,N] out: log softmax(z) of that code.</summary>
    public required Tensor Confidence { get; init; }
}
