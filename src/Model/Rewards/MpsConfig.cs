using CoGrpo.Model.Clip;

namespace CoGrpo.Model.Rewards;

/// <summary>
/// Architecture of an <see cref="MpsModel"/>. The defaults are those of the "overall" head, as far as its code tells: no published weight file was
/// read (specs/reward-models.md 3.2 and 8).
/// </summary>
public sealed record MpsConfig
{
    /// <summary>The condition string of the "overall" head, for the tokenizer.</summary>
    public const string OverallCondition = "light, color, clarity, tone, style, ambiance, artistry, shape, face, hair, hands, limbs, structure, instance, texture, quantity, attributes, position, number, "
        + "location, word, things.";

    /// <summary>Both towers.</summary>
    public ClipModelConfig Clip { get; init; } = ClipModelConfig.ViTH14;

    /// <summary>Layers of the cross model.</summary>
    public int Layers { get; init; } = 4;

    /// <summary>Query heads of the cross model; keys and values have one.</summary>
    public int Heads { get; init; } = 16;

    /// <summary>Channels of a head, even.</summary>
    public int HeadWidth { get; init; } = 64;

    /// <summary>Width inside the MLPs over that of the joint embedding.</summary>
    public int MlpRatio { get; init; } = 4;

    /// <summary>
    /// A text token is attended to if its best match among the condition's tokens is more than this share of the prompt's best: 0.3 in the evaluation
    /// scripts of the original, 0.01 in its module. Which the published results had is unverified.
    /// </summary>
    public double MaskThreshold { get; init; } = 0.3;

    /// <summary>
    /// The id that fills a prompt up to the context, where it takes part: the end token in most repositories of this model, 0 in some. Unverified.
    /// </summary>
    public int PadId { get; init; } = 49407;

    /// <summary>Width inside the MLPs.</summary>
    internal int MlpWidth => MlpRatio * Clip.EmbedDim;

    /// <summary>Checks that the sizes fit together.</summary>
    /// <exception cref="ModelException">They do not.</exception>
    public MpsConfig Validated()
    {
        Clip.Validated();
        bool ok =
            Layers > 0
            && Heads > 0
            && HeadWidth is > 0 and <= 128
            && HeadWidth % 2 == 0
            && MlpRatio > 0
            && MaskThreshold is >= 0 and < 1
            && PadId >= 0
            && PadId < Clip.Text.VocabSize;
        return ok
            ? this
            : throw new ModelException(
                $"MPS configuration: wanted positive sizes, an even head width of at most 128, a threshold in [0,1) and a padding id of the vocabulary, got {this}; use the defaults for the published weights"
            );
    }
}
