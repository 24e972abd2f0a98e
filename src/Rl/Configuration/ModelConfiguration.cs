namespace CoGrpo.Rl.Configuration;

/// <summary>
/// The network. With a checkpoint the architecture stored there holds; without one a model is made from the keys below, which have the
/// names of the published <c>transformer/config.json</c>.
/// </summary>
public sealed record ModelConfiguration
{
    /// <summary>Folder or file to load weights from; null to start from random weights.</summary>
    [InputPath]
    public string? Checkpoint { get; init; }

    /// <summary>Width of one attention head.</summary>
    [Key("attention_head_dim"), Bounds(2, 1024)]
    public int AttentionHeadDim { get; init; } = 32;

    /// <summary>Number of attention heads; the model is this times <see cref="AttentionHeadDim"/> wide.</summary>
    [Key("num_attention_heads"), Bounds(1, 256)]
    public int NumAttentionHeads { get; init; } = 4;

    /// <summary>Number of double-stream blocks.</summary>
    [Key("num_layers"), Bounds(0, 256)]
    public int NumLayers { get; init; } = 1;

    /// <summary>Number of single-stream blocks.</summary>
    [Key("num_single_layers"), Bounds(0, 256)]
    public int NumSingleLayers { get; init; } = 3;

    /// <summary>Width of the text encoder's states.</summary>
    [Key("joint_attention_dim"), Bounds(1, 65536)]
    public int JointAttentionDim { get; init; } = 128;

    /// <summary>Width of the pooled text vector's embedding; must equal the model's width.</summary>
    [Key("pooled_projection_dim"), Bounds(1, 65536)]
    public int PooledProjectionDim { get; init; } = 128;

    /// <summary>Widths of the three axes of the rotary embedding; their sum is the head's width.</summary>
    [Key("axes_dims_rope"), Count(3, 3), Bounds(0, 1024)]
    public IReadOnlyList<int> AxesDimsRope { get; init; } = [8, 12, 12];

    /// <summary>V, the number of codes that a position can take.</summary>
    [Key("codebook_size"), Bounds(2, 65535)]
    public int CodebookSize { get; init; } = 431;

    /// <summary>Number of rows of the code embedding; its last row is the mask.</summary>
    [Key("vocab_size"), Bounds(3, 65536)]
    public int VocabSize { get; init; } = 432;

    /// <summary>Halve the token grid on entry.</summary>
    [Key("downsample")]
    public bool Downsample { get; init; }

    /// <summary>Double the token grid on exit.</summary>
    [Key("upsample")]
    public bool Upsample { get; init; }

    /// <summary>What the transformer is told about time; weights want what they were trained with.</summary>
    public TimeName Time { get; init; }

    /// <summary>The text encoder.</summary>
    public TextEncoderConfiguration TextEncoder { get; init; } = new();

    /// <summary>The model's width D, heads times head width.</summary>
    public int Width => AttentionHeadDim * NumAttentionHeads;
}
