namespace CoGrpo.Rl.Configuration;

/// <summary>The text tower, with the names of the published <c>text_encoder/config.json</c>.</summary>
public sealed record TextEncoderConfiguration
{
    /// <summary>Width of the states.</summary>
    [Key("hidden_size"), Bounds(1, 65536)]
    public int HiddenSize { get; init; } = 128;

    /// <summary>Width of the hidden layer of each block's MLP.</summary>
    [Key("intermediate_size"), Bounds(1, 262144)]
    public int IntermediateSize { get; init; } = 256;

    /// <summary>Number of blocks. The context comes from before the last one, the pooled vector from after it.</summary>
    [Key("num_hidden_layers"), Bounds(1, 256)]
    public int NumHiddenLayers { get; init; } = 1;

    /// <summary>Number of attention heads.</summary>
    [Key("num_attention_heads"), Bounds(1, 256)]
    public int NumAttentionHeads { get; init; } = 4;

    /// <summary>L, the number of text tokens.</summary>
    [Key("max_position_embeddings"), Bounds(1, 4096)]
    public int MaxPositionEmbeddings { get; init; } = 8;

    /// <summary>Number of text token ids.</summary>
    [Key("vocab_size"), Bounds(1, 1_000_000)]
    public int VocabSize { get; init; } = 53;

    /// <summary>Width of the pooled text vector.</summary>
    [Key("projection_dim"), Bounds(1, 65536)]
    public int ProjectionDim { get; init; } = 128;

    /// <summary>Epsilon of the layer norms.</summary>
    [Key("layer_norm_eps"), Bounds(0, 1, Above = true)]
    public double LayerNormEps { get; init; } = 1e-5;

    /// <summary>
    /// Where the pooled vector is taken: 2 at the first maximum of the ids (the published rule), -1 at the first token, else at the first such id.
    /// </summary>
    [Key("eos_token_id"), Bounds(-1, 1_000_000)]
    public int EosTokenId { get; init; } = -1;
}
