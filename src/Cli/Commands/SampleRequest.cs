using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.Serving;

namespace CoGrpo.Cli.Commands;

/// <summary>What <c>sample</c> was asked for.</summary>
/// <param name="Configuration">The checked configuration; steps, seed and checkpoint are in it.</param>
/// <param name="Prompts">The prompts, at least one.</param>
/// <param name="Samples">Pictures per prompt.</param>
/// <param name="Schedule">Checkpoint with a learned schedule; null for the hand-made one.</param>
/// <param name="Lora">Adapters to put on the model, or null.</param>
/// <param name="Pictures">All of this for a model folder in the published layout; null for EmojiScenes.</param>
internal sealed record SampleRequest(
    RunConfiguration Configuration,
    IReadOnlyList<string> Prompts,
    int Samples,
    string? Schedule,
    LoraSource? Lora,
    PictureOptions? Pictures
);
