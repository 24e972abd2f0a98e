using System.Text.Json.Serialization;

namespace CoGrpo.Model.Rewards;

/// <summary>
/// Picture encoder of <see cref="ImageRewardModel"/>, under the names of BLIP's <c>VisionTransformer</c> arguments. The defaults are those of
/// ViT-L/16.
/// </summary>
public sealed record BlipVisionConfig
{
    /// <summary>Side of a picture in pixels.</summary>
    [JsonPropertyName("image_size")]
    public int ImageSize { get; init; } = 224;

    /// <summary>Side of a patch in pixels.</summary>
    [JsonPropertyName("patch_size")]
    public int PatchSize { get; init; } = 16;

    /// <summary>Model width.</summary>
    [JsonPropertyName("embed_dim")]
    public int EmbedDim { get; init; } = 1024;

    /// <summary>Blocks.</summary>
    [JsonPropertyName("depth")]
    public int Depth { get; init; } = 24;

    /// <summary>Attention heads.</summary>
    [JsonPropertyName("num_heads")]
    public int NumHeads { get; init; } = 16;

    /// <summary>Width inside the MLP over <see cref="EmbedDim"/>.</summary>
    [JsonPropertyName("mlp_ratio")]
    public double MlpRatio { get; init; } = 4;

    /// <summary>Width inside the MLP.</summary>
    [JsonIgnore]
    public int MlpWidth => (int)(EmbedDim * MlpRatio);

    /// <summary>Tokens of a picture, the class token included.</summary>
    [JsonIgnore]
    public int Tokens => 1 + (ImageSize / PatchSize * (ImageSize / PatchSize));

    /// <summary>Checks that the sizes fit together.</summary>
    /// <exception cref="ModelException">They do not.</exception>
    public BlipVisionConfig Validated()
    {
        bool ok =
            ImageSize > 0
            && PatchSize > 0
            && ImageSize % PatchSize == 0
            && EmbedDim > 0
            && Depth > 0
            && NumHeads > 0
            && EmbedDim % NumHeads == 0
            && EmbedDim / NumHeads <= 128
            && MlpWidth > 0;
        return ok
            ? this
            : throw new ModelException(
                $"ImageReward configuration, vision: wanted positive sizes, image_size a multiple of patch_size, embed_dim a multiple of num_heads with at most 128 channels each, got {this}; use that of BLIP ViT-L/16"
            );
    }
}
