using CoGrpo.Model.Clip;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Files;

namespace CoGrpo.Model.Rewards;

/// <summary>
/// CLIP score: 100 times the cosine between the embeddings of picture and prompt (specs/reward-models.md 3.1). The factor is 100 whatever the
/// weights' own logit scale is, which published weights have at about 100.
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

    /// <summary>
    /// Reads the network at <paramref name="path"/>: a file of a ViT-H-14 with open_clip names, or a folder with one file of weights and open_clip's
    /// configuration of another size.
    /// </summary>
    /// <exception cref="ModelException">There are no such weights, or they are not those of the architecture; every tensor that is missing is
    /// named.</exception>
    /// <exception cref="WeightsFileException">The file is damaged.</exception>
    public static ClipScoreModel Load(string path, IBackend backend) => new(ClipModel.Load("CLIP score", path, backend));

    /// <inheritdoc/>
    public long ParameterCount => Clip.Parameters.ParameterCount;

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
