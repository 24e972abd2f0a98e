using CoGrpo.Model.Images;

namespace CoGrpo.Rl.Serving;

/// <summary>What <see cref="PictureService"/> draws beside what a configuration says.</summary>
public sealed record PictureOptions
{
    /// <summary>What the pictures show; one or more.</summary>
    public required IReadOnlyList<string> Prompts { get; init; }

    /// <summary>Pictures per prompt.</summary>
    public int Samples { get; init; } = 1;

    /// <summary>What guidance leads away from.</summary>
    public string NegativePrompt { get; init; } = "";

    /// <summary>Null, or the picture to start from; without a configured size it says the size too.</summary>
    public RgbImage? Source { get; init; }

    /// <summary>With a <see cref="Source"/>: the share of the schedule that is run, in (0,1].</summary>
    public double Strength { get; init; } = 1;

    /// <summary>Null, or bright where the source is to be drawn anew.</summary>
    public RgbImage? Mask { get; init; }

    /// <summary>Checkpoint with a learned schedule; null for the hand-made one.</summary>
    public string? Schedule { get; init; }

    /// <summary>Adapters to put on the model, or null.</summary>
    public LoraSource? Lora { get; init; }

    /// <summary>Counts codes in fp32 as the published scheduler does (specs/meissonic.md 4.2), instead of in fp64.</summary>
    public bool ReferenceCounts { get; init; }
}
