using System.Text.Json.Serialization;

namespace CoGrpo.Model.Meissonic;

/// <summary>
/// Architecture of a <see cref="MeissonicTransformer"/> under the keys of the published <c>transformer/config.json</c> (specs/meissonic.md 0.2).
/// </summary>
public sealed record TransformerConfig
{
    // Far above any model, so that a damaged file is refused at once and does not fill the memory.
    private const int MostWidth = 1 << 16;
    private const int MostLayers = 1024;
    private const int MostCodes = 1 << 20;

    /// <summary>Head width D.</summary>
    [JsonPropertyName("attention_head_dim")]
    public int AttentionHeadDim { get; init; } = 128;

    /// <summary>Heads H; the model width is H·D.</summary>
    [JsonPropertyName("num_attention_heads")]
    public int NumAttentionHeads { get; init; } = 8;

    /// <summary>Double-stream (MM) blocks.</summary>
    [JsonPropertyName("num_layers")]
    public int NumLayers { get; init; } = 14;

    /// <summary>Single-stream blocks.</summary>
    [JsonPropertyName("num_single_layers")]
    public int NumSingleLayers { get; init; } = 28;

    /// <summary>Width of the text encoder's token states.</summary>
    [JsonPropertyName("joint_attention_dim")]
    public int JointAttentionDim { get; init; } = 1024;

    /// <summary>Must equal H·D: the reference feeds the width-H·D output of <c>cond_embed</c> into a layer declared with this many inputs.</summary>
    [JsonPropertyName("pooled_projection_dim")]
    public int PooledProjectionDim { get; init; } = 1024;

    /// <summary>Head dimensions rotated by (constant, row, column); even, sum D.</summary>
    [JsonPropertyName("axes_dims_rope")]
    public IReadOnlyList<int> AxesDimsRope { get; init; } = [16, 56, 56];

    /// <summary>Codes that can be predicted, V.</summary>
    [JsonPropertyName("codebook_size")]
    public int CodebookSize { get; init; } = 8192;

    /// <summary>Rows of the code embedding; the mask token is the last.</summary>
    [JsonPropertyName("vocab_size")]
    public int VocabSize { get; init; } = 8256;

    /// <summary>Whether a 2x2 convolution halves the grid in front of the blocks.</summary>
    [JsonPropertyName("downsample")]
    public bool Downsample { get; init; } = true;

    /// <summary>Whether a 2x2 transposed convolution doubles the grid behind the blocks; equals <see cref="Downsample"/>.</summary>
    [JsonPropertyName("upsample")]
    public bool Upsample { get; init; } = true;

    /// <summary>Model width C = H·D.</summary>
    [JsonIgnore]
    public int Width => AttentionHeadDim * NumAttentionHeads;

    /// <summary>Id of a masked position.</summary>
    [JsonIgnore]
    public int MaskToken => VocabSize - 1;

    /// <summary>Checks that the sizes fit together.</summary>
    /// <exception cref="ModelException">They do not; the message names key, wanted, got and remedy.</exception>
    public TransformerConfig Validated()
    {
        Check(
            AttentionHeadDim is > 0 and <= MostWidth && AttentionHeadDim % 2 == 0,
            "attention_head_dim",
            $"an even number from 2 to {MostWidth}",
            AttentionHeadDim
        );
        Check(NumAttentionHeads is > 0 and <= MostWidth, "num_attention_heads", $"1 to {MostWidth}", NumAttentionHeads);
        Check(
            (long)AttentionHeadDim * NumAttentionHeads <= MostWidth,
            "num_attention_heads",
            $"a width num_attention_heads x attention_head_dim of at most {MostWidth}",
            NumAttentionHeads
        );
        Check(NumLayers is >= 0 and <= MostLayers, "num_layers", $"0 to {MostLayers}", NumLayers);
        Check(
            NumSingleLayers is >= 1 and <= MostLayers,
            "num_single_layers",
            $"1 to {MostLayers} (the schedule policy reads the last one)",
            NumSingleLayers
        );
        Check(JointAttentionDim is > 0 and <= MostWidth, "joint_attention_dim", $"1 to {MostWidth}", JointAttentionDim);
        Check(PooledProjectionDim == Width, "pooled_projection_dim", $"num_attention_heads x attention_head_dim = {Width}", PooledProjectionDim);
        // A file may say null where the type does not.
        IReadOnlyList<int> axes = AxesDimsRope ?? [];
        Check(axes.Count == 3 && axes.All(d => d >= 0 && d <= AttentionHeadDim && d % 2 == 0) && axes.Sum() == AttentionHeadDim, "axes_dims_rope",
            $"three even numbers of sum attention_head_dim = {AttentionHeadDim}", string.Join(',', axes));
        Check(CodebookSize > 1 && CodebookSize < ushort.MaxValue, "codebook_size", "2 to 65534", CodebookSize);
        Check(
            VocabSize > CodebookSize && VocabSize <= MostCodes,
            "vocab_size",
            $"more than codebook_size = {CodebookSize}, since the last row is the mask token, and at most {MostCodes}",
            VocabSize
        );
        Check(Downsample == Upsample, "upsample", $"the same as downsample = {Downsample}", Upsample);
        return this;
    }

    private static void Check(bool ok, string key, string wanted, object got)
    {
        if (!ok)
        {
            throw new ModelException($"transformer configuration, {key}: wanted {wanted}, got {got}; correct the model's config.json");
        }
    }
}
