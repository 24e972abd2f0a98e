using System.Text.Json.Serialization;

namespace CoGrpo.Model.Clip;

/// <summary>
/// Architecture of a <see cref="ClipTextEncoder"/> under the keys of the published <c>text_encoder/config.json</c> (specs/meissonic.md 0.2).
/// </summary>
public sealed record ClipTextConfig
{
    private const int MostWidth = 1 << 16;
    private const int MostLayers = 1024;
    private const int MostTokens = 1 << 20;

    /// <summary>Model width.</summary>
    [JsonPropertyName("hidden_size")]
    public int HiddenSize { get; init; } = 1024;

    /// <summary>MLP width.</summary>
    [JsonPropertyName("intermediate_size")]
    public int IntermediateSize { get; init; } = 4096;

    /// <summary>Layers; the token states come from the last but one, so one layer leaves the embeddings unmixed.</summary>
    [JsonPropertyName("num_hidden_layers")]
    public int NumHiddenLayers { get; init; } = 24;

    /// <summary>Attention heads.</summary>
    [JsonPropertyName("num_attention_heads")]
    public int NumAttentionHeads { get; init; } = 16;

    /// <summary>Tokens per prompt; every input has exactly this many.</summary>
    [JsonPropertyName("max_position_embeddings")]
    public int MaxPositionEmbeddings { get; init; } = 77;

    /// <summary>Token ids.</summary>
    [JsonPropertyName("vocab_size")]
    public int VocabSize { get; init; } = 49408;

    /// <summary>Width of the pooled projection.</summary>
    [JsonPropertyName("projection_dim")]
    public int ProjectionDim { get; init; } = 1024;

    /// <summary>Added to the variance in every layer norm.</summary>
    [JsonPropertyName("layer_norm_eps")]
    public float LayerNormEps { get; init; } = 1e-5f;

    /// <summary>
    /// Where the pooled projection is taken: 2 selects the published rule (first maximum of the ids), -1 the first token, which under the
    /// causal mask knows nothing of the others, any other value the first occurrence of that id.
    /// </summary>
    [JsonPropertyName("eos_token_id")]
    public int EosTokenId { get; init; } = 2;

    /// <summary><c>gelu</c>, the exact form.</summary>
    [JsonPropertyName("hidden_act")]
    public string HiddenAct { get; init; } = "gelu";

    /// <summary>Checks that the sizes fit together.</summary>
    /// <exception cref="ModelException">They do not.</exception>
    public ClipTextConfig Validated()
    {
        // The bounds are far above any model: a damaged file is refused at once and does not fill the memory.
        bool ok =
            HiddenSize is > 0 and <= MostWidth
            && NumAttentionHeads > 0
            && HiddenSize % NumAttentionHeads == 0
            && NumHiddenLayers is >= 1 and <= MostLayers
            && IntermediateSize is > 0 and <= 4 * MostWidth
            && MaxPositionEmbeddings is > 0 and <= MostWidth
            && VocabSize is > 1 and <= MostTokens
            && ProjectionDim is > 0 and <= MostWidth
            && LayerNormEps > 0
            && HiddenAct == "gelu";
        return ok
            ? this
            : throw new ModelException(
                $"text encoder configuration: wanted positive sizes of at most a few ten thousand (vocab_size: a million, layers: a thousand), hidden_size a multiple of num_attention_heads, hidden_act gelu, got {this}; correct text_encoder/config.json"
            );
    }
}
