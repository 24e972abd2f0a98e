using CoGrpo.Model.Clip;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Model.Rewards;

/// <summary>
/// Human Preference Score v2.0 or v2.1: the cosine between the embeddings of picture and prompt in a fine-tuned ViT-H-14 (specs/reward-models.md
/// 2.5), about 0.2 to 0.35; tables of the benchmark have 100 times that. The original rounds the cosine to fp16; this one does not.
/// </summary>
public sealed class HpsModel : IRewardModel
{
    /// <summary>Of weights already read, owned from here on.</summary>
    public HpsModel(ClipModel clip, HpsVersion version)
    {
        ArgumentNullException.ThrowIfNull(clip);
        (Clip, Version) = (clip, version);
    }

    /// <summary>The towers.</summary>
    public ClipModel Clip { get; }

    /// <summary>Which weights they are; said by whoever read them, as files do not tell.</summary>
    public HpsVersion Version { get; }

    /// <inheritdoc/>
    public long ParameterCount => Clip.Parameters.ParameterCount;

    /// <inheritdoc/>
    public int ImageSize => Clip.Config.Vision.ImageSize;

    /// <summary>
    /// Reads the network at <paramref name="path"/>: the published file of a ViT-H-14, or a folder with one file of weights with open_clip names and
    /// a configuration of another size.
    /// </summary>
    /// <exception cref="ModelException">There are no such weights, or they are not those of the architecture; every tensor that is missing is
    /// named.</exception>
    /// <exception cref="Runtime.Files.WeightsFileException">The file is damaged.</exception>
    public static HpsModel Load(string path, HpsVersion version, IBackend backend, ElementType storage = ElementType.Float32) =>
        new(ClipModel.Load("HPS", path, backend, storage), version);

    /// <inheritdoc/>
    public void Score(ReadOnlyMemory<float> pixels, IReadOnlyList<int[]> prompts, ReadOnlySpan<int> promptOf, Span<double> scores)
    {
        RewardInput.Check("HPS", ImageSize, pixels, prompts, promptOf, scores);
        Clip.Cosines(pixels, prompts, promptOf, scores);
    }

    /// <summary>
    /// The logit between a picture and a prompt that the preference evaluation of the original puts through a softmax: score times
    /// <see cref="ClipModel.LogitScale"/>.
    /// </summary>
    public double PreferenceLogit(double score) => Clip.LogitScale * score;

    /// <summary>Frees the towers.</summary>
    public void Dispose() => Clip.Dispose();
}
