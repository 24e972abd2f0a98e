using System.Text.Json.Serialization;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Model.Clip;

/// <summary>
/// Architecture of a <see cref="ClipModel"/> under the keys of an open_clip model configuration. The defaults are those of ViT-H-14, which HPS v2.0
/// and v2.1 share.
/// </summary>
public sealed record ClipModelConfig
{
    /// <summary>Width of the joint embedding.</summary>
    [JsonPropertyName("embed_dim")]
    public int EmbedDim { get; init; } = 1024;

    /// <summary>Picture tower.</summary>
    [JsonPropertyName("vision_cfg")]
    public ClipVisionConfig Vision { get; init; } = new();

    /// <summary>Text tower.</summary>
    [JsonPropertyName("text_cfg")]
    public ClipTextTowerConfig Text { get; init; } = new();

    /// <summary>Whether both towers have the sigmoid form of GELU, as OpenAI's weights need, instead of the exact one.</summary>
    [JsonPropertyName("quick_gelu")]
    public bool QuickGelu { get; init; }

    /// <summary>ViT-H-14.</summary>
    public static ClipModelConfig ViTH14 { get; } = new();

    /// <summary>ViT-L-14 as OpenAI published it; without <see cref="QuickGelu"/> as LAION did.</summary>
    public static ClipModelConfig ViTL14 { get; } =
        new()
        {
            EmbedDim = 768,
            Vision = new()
            {
                Layers = 24,
                Width = 1024,
                HeadWidth = 64,
            },
            Text = new()
            {
                Width = 768,
                Heads = 12,
                Layers = 12,
            },
            QuickGelu = true,
        };

    /// <summary>ViT-B-32 as OpenAI published it; without <see cref="QuickGelu"/> as LAION did.</summary>
    public static ClipModelConfig ViTB32 { get; } =
        new()
        {
            EmbedDim = 512,
            Vision = new()
            {
                Layers = 12,
                Width = 768,
                HeadWidth = 64,
                PatchSize = 32,
            },
            Text = new()
            {
                Width = 512,
                Heads = 8,
                Layers = 12,
            },
            QuickGelu = true,
        };

    /// <summary>The form of GELU.</summary>
    [JsonIgnore]
    internal Activation Activation => QuickGelu ? Activation.GeluQuick : Activation.GeluErf;

    /// <summary>Checks that the sizes fit together.</summary>
    /// <exception cref="ModelException">They do not.</exception>
    public ClipModelConfig Validated()
    {
        if (EmbedDim <= 0 || Vision is null || Text is null)
        {
            throw new ModelException($"CLIP configuration: wanted a positive embed_dim, vision_cfg and text_cfg, got {this}; use the open_clip configuration that belongs to the weights");
        }

        Vision.Validated();
        Text.Validated();
        return this;
    }
}
