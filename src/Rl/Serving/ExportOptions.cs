using CoGrpo.Rl.Benchmarks;

namespace CoGrpo.Rl.Serving;

/// <summary>What <see cref="ExportService"/> draws beside what a configuration says.</summary>
public sealed record ExportOptions
{
    /// <summary>Prompts and files.</summary>
    public required ExportLayout Layout { get; init; }

    /// <summary>Only the first so many prompts, of each style; the others can follow later.</summary>
    public int? Limit { get; init; }

    /// <summary>Checkpoint with a learned schedule; null for the hand-made one.</summary>
    public string? Schedule { get; init; }

    /// <summary>Adapters to put on the model, or null.</summary>
    public LoraSource? Lora { get; init; }

    /// <summary>Counts codes in fp32 as the published scheduler does.</summary>
    public bool ReferenceCounts { get; init; }
}
