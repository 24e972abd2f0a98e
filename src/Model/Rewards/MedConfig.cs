using System.Text.Json.Serialization;

namespace CoGrpo.Model.Rewards;

/// <summary>
/// Text encoder of <see cref="ImageRewardModel"/> under the keys of the published <c>med_config.json</c>. Its <c>encoder_width</c> is not read: cross
/// attention takes keys and values of the width of the picture encoder, whatever the file says.
/// </summary>
public sealed record MedConfig
{
    /// <summary>Model width.</summary>
    [JsonPropertyName("hidden_size")]
    public int HiddenSize { get; init; } = 768;

    /// <summary>Layers; every one has cross attention.</summary>
    [JsonPropertyName("num_hidden_layers")]
    public int NumHiddenLayers { get; init; } = 12;

    /// <summary>Attention heads.</summary>
    [JsonPropertyName("num_attention_heads")]
    public int NumAttentionHeads { get; init; } = 12;

    /// <summary>Width inside the MLP.</summary>
    [JsonPropertyName("intermediate_size")]
    public int IntermediateSize { get; init; } = 3072;

    /// <summary>Most tokens of a prompt.</summary>
    [JsonPropertyName("max_position_embeddings")]
    public int MaxPositionEmbeddings { get; init; } = 512;

    /// <summary>Token ids: those of bert-base-uncased and two more.</summary>
    [JsonPropertyName("vocab_size")]
    public int VocabSize { get; init; } = 30524;

    /// <summary>Added to the variance in every layer norm.</summary>
    [JsonPropertyName("layer_norm_eps")]
    public float LayerNormEps { get; init; } = 1e-12f;

    /// <summary><c>gelu</c>, the exact form.</summary>
    [JsonPropertyName("hidden_act")]
    public string HiddenAct { get; init; } = "gelu";

    /// <summary>true: the layers have cross attention.</summary>
    [JsonPropertyName("add_cross_attention")]
    public bool AddCrossAttention { get; init; } = true;

    /// <summary>Checks that the sizes fit together.</summary>
    /// <exception cref="ModelException">They do not.</exception>
    public MedConfig Validated()
    {
        bool ok =
            HiddenSize > 0
            && NumHiddenLayers > 0
            && NumAttentionHeads > 0
            && HiddenSize % NumAttentionHeads == 0
            && HiddenSize / NumAttentionHeads <= 128
            && IntermediateSize > 0
            && MaxPositionEmbeddings > 0
            && VocabSize > 1
            && LayerNormEps > 0
            && HiddenAct == "gelu"
            && AddCrossAttention;
        return ok
            ? this
            : throw new ModelException(
                $"ImageReward configuration, med_config: wanted positive sizes, hidden_size a multiple of num_attention_heads, hidden_act gelu, add_cross_attention true, got {this}; use the published med_config.json"
            );
    }
}
