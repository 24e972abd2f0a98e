using System.Text.Json;
using CoGrpo.Model.Clip;
using CoGrpo.Model.Rewards;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends.Plan;
using CoGrpo.Runtime.Files;

namespace CoGrpo.Model.Conversion;

/// <summary>What a file of a published reward network holds.</summary>
/// <param name="FileStem">Name of the published file up to its ending.</param>
/// <param name="Tensors">Names and shapes, as F32.</param>
/// <param name="Key">The key that leads to the tensors in a PyTorch archive; null where they stand outermost.</param>
/// <param name="Configuration">Text of the configuration of a size that is not the published one; null for that.</param>
public sealed record SyntheticReward(string FileStem, IReadOnlyList<SafetensorsTensor> Tensors, string? Key, string? Configuration)
{
    private const string StateDictionary = "state_dict";

    private static readonly ClipModelConfig TinyClip = new()
    {
        EmbedDim = 16,
        Vision = new()
        {
            ImageSize = 32,
            PatchSize = 8,
            Width = 16,
            HeadWidth = 8,
            Layers = 2,
        },
        Text = new()
        {
            Width = 16,
            Heads = 2,
            Layers = 2,
        },
    };

    private static readonly ImageRewardConfig TinyImageReward = new()
    {
        Vision = new() { ImageSize = 32, PatchSize = 8, EmbedDim = 16, Depth = 2, NumHeads = 2 }, Head = [16, 12, 8, 6, 4, 1], ProjectionDim = 8,
        Med = new() { HiddenSize = 16, NumHiddenLayers = 2, NumAttentionHeads = 2, IntermediateSize = 32, MaxPositionEmbeddings = 64 },
    };

    /// <summary>
    /// ImageReward v1.0, 446,665,953 parameters, or with <paramref name="tiny"/> every part of it at widths of a dozen and the published vocabulary.
    /// </summary>
    public static SyntheticReward ImageReward(bool tiny)
    {
        ImageRewardConfig config = tiny ? TinyImageReward : new();
        using var model = new ImageRewardModel(config, new PlanBackend());
        return new(
            "ImageReward",
            [.. Of(model.Parameters), .. config.Unused.Select(tensor => ParameterFile.Described(tensor.Name, tensor.Shape))],
            null,
            tiny ? JsonSerializer.Serialize(config) : null
        );
    }

    /// <summary>HPS v2.0, 986,109,441 parameters, or tiny likewise.</summary>
    public static SyntheticReward Hps(bool tiny) => Clip("HPS_v2_compressed", tiny, StateDictionary);

    /// <summary>The ViT-H-14 of CLIP score, or tiny likewise.</summary>
    public static SyntheticReward ClipScore(bool tiny) => Clip("open_clip_pytorch_model", tiny, null);

    private static SyntheticReward Clip(string stem, bool tiny, string? key)
    {
        ClipModelConfig config = tiny ? TinyClip : ClipModelConfig.ViTH14;
        using var model = new ClipModel(config, new PlanBackend());
        return new(stem, Of(model.Parameters), key, tiny ? JsonSerializer.Serialize(config) : null);
    }

    private static IReadOnlyList<SafetensorsTensor> Of(ParameterStore store) => ParameterFile.Tensors(store);
}
