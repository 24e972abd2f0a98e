namespace CoGrpo.Runtime.Backends;

/// <summary>
/// Operands of <see cref="IBackend.ClippedObjective"/>: R rows (decoded codes) in S segments (a trajectory's step each), rows of a segment adjacent.
/// </summary>
public readonly record struct ClippedObjectiveOperands
{
    /// <summary>[R] log-probability of the code now.</summary>
    public required Tensor LogProb { get; init; }

    /// <summary>[R] in the rollout; none: every ratio is exactly 1, right for the first update of a rollout.</summary>
    public Tensor OldLogProb { get; init; }

    /// <summary>[R] under the reference model; none without a KL penalty.</summary>
    public Tensor ReferenceLogProb { get; init; }

    /// <summary>Int32 [S+1]: rows of segment s are [starts[s], starts[s+1]).</summary>
    public required Tensor Starts { get; init; }

    /// <summary>Float64 [S] advantage A of the segment's trajectory.</summary>
    public required Tensor Advantages { get; init; }

    /// <summary>Float64 [S] step weight w.</summary>
    public required Tensor Weights { get; init; }

    /// <summary>[R] dLoss/dlogProb out.</summary>
    public required Tensor Upstream { get; init; }
}
