namespace CoGrpo.Rl;

/// <summary>
/// A number per finished picture, higher is better. A score depends on its own picture and prompt alone, never on the rest of the batch.
/// Rewards are normalised per group before they are mixed, so their scales need not agree.
/// </summary>
public interface IReward
{
    /// <summary>Name in configurations and logs.</summary>
    string Name { get; }

    /// <summary>Writes one score per picture of the batch. What takes long, networks and servers, ends soon when cancelled.</summary>
    /// <exception cref="ArgumentException">The length of <paramref name="scores"/> is not the batch's, or a prompt or picture is not of a sort this
    /// reward can judge.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; the scores are of no use.</exception>
    void Score(RewardBatch batch, Span<double> scores, CancellationToken cancellation = default);
}
