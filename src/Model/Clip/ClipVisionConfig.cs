using System.Text.Json.Serialization;

namespace CoGrpo.Model.Clip;

/// <summary>
/// Picture tower of a <see cref="ClipModel"/> under the keys of open_clip's <c>vision_cfg</c> (specs/reward-models.md 2.2). The defaults are those of
/// ViT-H-14.
/// </summary>
public sealed record ClipVisionConfig
{
    /// <summary>Side of a picture in pixels.</summary>
    [JsonPropertyName("image_size")]
    public int ImageSize { get; init; } = 224;

    /// <summary>Blocks.</summary>
    [JsonPropertyName("layers")]
    public int Layers { get; init; } = 32;

    /// <summary>Model width.</summary>
    [JsonPropertyName("width")]
    public int Width { get; init; } = 1280;

    /// <summary>Channels of an attention head.</summary>
    [JsonPropertyName("head_width")]
    public int HeadWidth { get; init; } = 80;

    /// <summary>Side of a patch in pixels.</summary>
    [JsonPropertyName("patch_size")]
    public int PatchSize { get; init; } = 14;

    /// <summary>Width inside the MLP over <see cref="Width"/>.</summary>
    [JsonPropertyName("mlp_ratio")]
    public double MlpRatio { get; init; } = 4;

    /// <summary>Attention heads.</summary>
    [JsonIgnore]
    public int Heads => Width / HeadWidth;

    /// <summary>Width inside the MLP.</summary>
    [JsonIgnore]
    public int MlpWidth => (int)(Width * MlpRatio);

    /// <summary>Tokens of a picture, the class token included.</summary>
    [JsonIgnore]
    public int Tokens => 1 + (ImageSize / PatchSize * (ImageSize / PatchSize));

    /// <summary>Checks that the sizes fit together.</summary>
    /// <exception cref="ModelException">They do not.</exception>
    public ClipVisionConfig Validated()
    {
        bool ok =
            ImageSize > 0
            && Layers > 0
            && Width > 0
            && HeadWidth is > 0 and <= 128
            && Width % HeadWidth == 0
            && PatchSize > 0
            && ImageSize % PatchSize == 0
            && MlpWidth > 0;
        return ok
            ? this
            : throw new ModelException(
                $"vision_cfg: wanted positive sizes, width a multiple of head_width (at most 128), image_size a multiple of patch_size, got {this}; use the open_clip configuration that belongs to the weights"
            );
    }
}
