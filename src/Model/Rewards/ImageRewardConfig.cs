using System.Text.Json.Serialization;
using CoGrpo.Runtime;

namespace CoGrpo.Model.Rewards;

/// <summary>Architecture of an <see cref="ImageRewardModel"/>. The defaults are those of ImageReward v1.0.</summary>
public sealed record ImageRewardConfig
{
    /// <summary>Picture encoder.</summary>
    [JsonPropertyName("vision")]
    public BlipVisionConfig Vision { get; init; } = new();

    /// <summary>Text encoder.</summary>
    [JsonPropertyName("med_config")]
    public MedConfig Med { get; init; } = new();

    /// <summary>Widths of the head from the feature to the score: five linear layers.</summary>
    [JsonPropertyName("head")]
    public IReadOnlyList<int> Head { get; init; } = [768, 1024, 128, 64, 16, 1];

    /// <summary>Subtracted from what the head gives.</summary>
    [JsonPropertyName("reward_mean")]
    public double RewardMean { get; init; } = 0.16717362830052426;

    /// <summary>Divides what is left.</summary>
    [JsonPropertyName("reward_std")]
    public double RewardStd { get; init; } = 1.0333394966054072;

    /// <summary>Width of BLIP's two projections, which the file has and the score does not use.</summary>
    [JsonPropertyName("projection_dim")]
    public int ProjectionDim { get; init; } = 256;

    /// <summary>
    /// Tensors that published files have and scores do not use, with their shapes. The positions 0, 1, … of the text encoder, a buffer, are not among
    /// them.
    /// </summary>
    [JsonIgnore]
    public IReadOnlyList<(string Name, Shape Shape)> Unused =>
    [
        ("blip.vision_proj.weight", new Shape(ProjectionDim, Vision.EmbedDim)), ("blip.vision_proj.bias", new Shape(ProjectionDim)),
        ("blip.text_proj.weight", new Shape(ProjectionDim, Med.HiddenSize)), ("blip.text_proj.bias", new Shape(ProjectionDim)),
    ];

    /// <summary>Checks that the parts fit together.</summary>
    /// <exception cref="ModelException">They do not.</exception>
    public ImageRewardConfig Validated()
    {
        bool ok =
            Vision is not null
            && Med is not null
            && Head is { Count: 6 }
            && Head[0] == Med.HiddenSize
            && Head[^1] == 1
            && Head.All(width => width > 0)
            && double.IsFinite(RewardMean)
            && double.IsFinite(RewardStd)
            && RewardStd > 0;
        if (!ok)
        {
            throw new ModelException(
                $"ImageReward configuration: wanted vision, med_config, a head of six widths from hidden_size to 1 and a positive reward_std, got {this}; use the configuration that belongs to the weights");
        }

        Vision!.Validated();
        Med!.Validated();
        return this;
    }
}
