using CoGrpo.Rl;

namespace CoGrpo.Tests.Rl.Rewards;

/// <summary>
/// The mean of a picture's values and a tenth of the length of its prompt: a reward that looks at pixels and can be computed by hand.
/// </summary>
internal sealed class BrightnessReward : IReward
{
    public string Name => "brightness";

    /// <summary>Added to every score.</summary>
    public double Offset { get; init; }

    /// <summary>Called before pictures are scored.</summary>
    public Action? Asked { get; init; }

    public void Score(RewardBatch batch, Span<double> scores, CancellationToken cancellation = default)
    {
        Asked?.Invoke();
        batch.CheckScores(scores.Length);
        for (int b = 0; b < batch.Count; b++)
        {
            scores[b] = Offset + batch.Image(b).Pixels.Average(value => value) + (batch.Prompt(b).Text.Length / 10.0);
        }
    }
}
