using System.Text.Json.Serialization;

namespace CoGrpo.Model.Vq;

/// <summary>
/// Architecture of a <see cref="VqModel"/> under the keys of the published <c>vqvae/config.json</c> (specs/meissonic.md 0.2 and 5). The defaults are
/// the published sizes.
/// </summary>
public sealed record VqConfig
{
    private const string DownBlock = "DownEncoderBlock2D";
    private const string UpBlock = "UpDecoderBlock2D";
    private const int MostChannels = 2048;

    /// <summary>Channels of a picture the encoder reads: 3.</summary>
    [JsonPropertyName("in_channels")]
    public int InChannels { get; init; } = 3;

    /// <summary>Channels of a picture the decoder makes: 3.</summary>
    [JsonPropertyName("out_channels")]
    public int OutChannels { get; init; } = 3;

    /// <summary>Kinds of the encoder's levels, one for each of <see cref="BlockOutChannels"/>.</summary>
    [JsonPropertyName("down_block_types")]
    public IReadOnlyList<string> DownBlockTypes { get; init; } = [DownBlock, DownBlock, DownBlock, DownBlock, DownBlock];

    /// <summary>Kinds of the decoder's levels, one for each of <see cref="BlockOutChannels"/>.</summary>
    [JsonPropertyName("up_block_types")]
    public IReadOnlyList<string> UpBlockTypes { get; init; } = [UpBlock, UpBlock, UpBlock, UpBlock, UpBlock];

    /// <summary>Channels of each level, the finest first; every level but the last halves height and width.</summary>
    [JsonPropertyName("block_out_channels")]
    public IReadOnlyList<int> BlockOutChannels { get; init; } = [128, 256, 256, 512, 768];

    /// <summary>Residual blocks of a level of the encoder; the decoder has one more.</summary>
    [JsonPropertyName("layers_per_block")]
    public int LayersPerBlock { get; init; } = 2;

    /// <summary><c>silu</c>.</summary>
    [JsonPropertyName("act_fn")]
    public string ActFn { get; init; } = "silu";

    /// <summary>Channels of the latent map.</summary>
    [JsonPropertyName("latent_channels")]
    public int LatentChannels { get; init; } = 64;

    /// <summary>Codes of the codebook.</summary>
    [JsonPropertyName("num_vq_embeddings")]
    public int NumVqEmbeddings { get; init; } = 8192;

    /// <summary>Groups of every group norm.</summary>
    [JsonPropertyName("norm_num_groups")]
    public int NormNumGroups { get; init; } = 32;

    /// <summary>Width of a code; null for <see cref="LatentChannels"/>.</summary>
    [JsonPropertyName("vq_embed_dim")]
    public int? VqEmbedDim { get; init; }

    /// <summary><c>group</c>.</summary>
    [JsonPropertyName("norm_type")]
    public string NormType { get; init; } = "group";

    /// <summary>Whether the middle blocks have attention: false, as in every model published for masked generation.</summary>
    [JsonPropertyName("mid_block_add_attention")]
    public bool MidBlockAddAttention { get; init; }

    /// <summary>Width of a code.</summary>
    [JsonIgnore]
    public int CodeWidth => VqEmbedDim ?? LatentChannels;

    /// <summary>Pixels of a picture's side per code.</summary>
    [JsonIgnore]
    public int Factor => 1 << (BlockOutChannels.Count - 1);

    /// <summary>Checks that the network can be made.</summary>
    /// <exception cref="ModelException">It cannot; the message names key, wanted, got and remedy.</exception>
    public VqConfig Validated()
    {
        Check(InChannels == 3, "in_channels", "3", InChannels);
        Check(OutChannels == 3, "out_channels", "3", OutChannels);
        // A file may say null where the type does not.
        IReadOnlyList<int> channels = BlockOutChannels ?? [];
        Check(channels.Count is > 0 and <= 10, "block_out_channels", "1 to 10 levels", channels.Count);
        CheckTypes(DownBlockTypes, "down_block_types", DownBlock);
        CheckTypes(UpBlockTypes, "up_block_types", UpBlock);
        Check(NormNumGroups > 0, "norm_num_groups", "a positive number", NormNumGroups);
        Check(
            channels.All(c => c is > 0 and <= MostChannels && c % NormNumGroups == 0),
            "block_out_channels",
            $"multiples of norm_num_groups = {NormNumGroups} up to {MostChannels}",
            string.Join(',', channels)
        );
        Check(LayersPerBlock is > 0 and <= 64, "layers_per_block", "1 to 64", LayersPerBlock);
        Check(ActFn == "silu", "act_fn", "silu", ActFn);
        Check(LatentChannels is > 0 and <= MostChannels, "latent_channels", $"1 to {MostChannels}", LatentChannels);
        Check(CodeWidth is > 0 and <= MostChannels, "vq_embed_dim", $"1 to {MostChannels}, or null", CodeWidth);
        Check(NumVqEmbeddings is > 1 and <= 1 << 20, "num_vq_embeddings", $"2 to {1 << 20}", NumVqEmbeddings);
        Check(NormType == "group", "norm_type", "group", NormType);
        Check(!MidBlockAddAttention, "mid_block_add_attention", "false", "true");
        return this;
    }

    private void CheckTypes(IReadOnlyList<string>? types, string key, string wanted) =>
        Check(
            types?.Count == BlockOutChannels.Count && types.All(t => t == wanted),
            key,
            $"{BlockOutChannels.Count} times {wanted}, one for each of block_out_channels",
            types is null ? "null" : string.Join(',', types)
        );

    private static void Check(bool ok, string key, string wanted, object? got)
    {
        if (!ok)
        {
            throw new ModelException($"picture model configuration, {key}: wanted {wanted}, got {got ?? "null"}; use the vqvae/config.json of a published masked image model");
        }
    }
}
