using System.Text.Json.Serialization;

namespace CoGrpo.Model.Clip;

/// <summary>
/// Text tower of a <see cref="ClipModel"/> under the keys of open_clip's <c>text_cfg</c> (specs/reward-models.md 2.2). The defaults are those of
/// ViT-H-14.
/// </summary>
public sealed record ClipTextTowerConfig
{
    /// <summary>Most tokens of a prompt, start and end included.</summary>
    [JsonPropertyName("context_length")]
    public int ContextLength { get; init; } = 77;

    /// <summary>Token ids; the largest is the end token.</summary>
    [JsonPropertyName("vocab_size")]
    public int VocabSize { get; init; } = 49408;

    /// <summary>Model width.</summary>
    [JsonPropertyName("width")]
    public int Width { get; init; } = 1024;

    /// <summary>Attention heads.</summary>
    [JsonPropertyName("heads")]
    public int Heads { get; init; } = 16;

    /// <summary>Blocks.</summary>
    [JsonPropertyName("layers")]
    public int Layers { get; init; } = 24;

    /// <summary>Checks that the sizes fit together.</summary>
    /// <exception cref="ModelException">They do not.</exception>
    public ClipTextTowerConfig Validated()
    {
        bool ok = ContextLength > 0 && VocabSize > 1 && Width > 0 && Heads > 0 && Width % Heads == 0 && Width / Heads <= 128 && Layers > 0;
        return ok ? this : throw new ModelException(
            $"text_cfg: wanted positive sizes, width a multiple of heads with at most 128 channels each, got {this}; use the open_clip configuration that belongs to the weights");
    }
}
