using CoGrpo.Model.Clip;

namespace CoGrpo.Model.Rewards;

/// <summary>
/// CLIP score: 100 times the cosine between the embeddings of picture and prompt (specs/reward-models.md 3.1). The factor is 100 whatever the weights' own logit scale
/// is, which published weights have at about 100.
/// </summary>
public sealed class ClipScoreModel : IRewardModel
{
    private const double Factor = 100;

    /// <summary>Of weights already read, owned from here on.</summary>
    public ClipScoreModel(ClipModel clip)
    {
        ArgumentNullException.ThrowIfNull(clip);
        Clip = clip;
    }

    /// <summary>The towers.</summary>
    public ClipModel Clip { get; }

    /// <inheritdoc/>
    public int ImageSize => Clip.Config.Vision.ImageSize;

    /// <inheritdoc/>
    public void Score(ReadOnlyMemory<float> pixels, IReadOnlyList<int[]> prompts, ReadOnlySpan<int> promptOf, Span<double> scores)
    {
        RewardInput.Check("CLIP score", ImageSize, pixels, prompts, promptOf, scores);
        Clip.Cosines(pixels, prompts, promptOf, scores);
        foreach (ref double score in scores)
        {
            score *= Factor;
        }
    }

    /// <summary>Frees the towers.</summary>
    public void Dispose() => Clip.Dispose();
}
