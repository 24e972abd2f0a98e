using CoGrpo.Rl.Configuration;

namespace CoGrpo.Rl.Serving;

/// <summary>What <see cref="PictureEvaluationService"/> scores beside what a configuration says.</summary>
public sealed record PictureEvaluationOptions
{
    /// <summary>What is drawn.</summary>
    public required EvaluationPrompts Prompts { get; init; }

    /// <summary>The scores, one or more.</summary>
    public required IReadOnlyList<RewardConfiguration> Rewards { get; init; }

    /// <summary>Checkpoint with a learned schedule, scored beside the hand-made one; or null.</summary>
    public string? Schedule { get; init; }

    /// <summary>Adapters to put on the model, or null.</summary>
    public LoraSource? Lora { get; init; }

    /// <summary>Counts codes in fp32 as the published scheduler does.</summary>
    public bool ReferenceCounts { get; init; }
}
