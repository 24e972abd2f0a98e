using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.Serving;

namespace CoGrpo.Cli.Commands;

/// <summary>What <c>eval</c> was asked for.</summary>
/// <param name="Configuration">The checked configuration; step counts, prompts and samples are under train.evaluation.</param>
/// <param name="Schedule">Checkpoint with a learned schedule; null for the hand-made one.</param>
/// <param name="Lora">Adapters to put on the model, or null.</param>
/// <param name="Transfer">How a learned schedule is carried to other step counts.</param>
/// <param name="TrainingPrompts">Score training prompts instead of held-out ones.</param>
/// <param name="Grid">Also search the hand-made settings.</param>
internal sealed record EvalRequest(
    RunConfiguration Configuration,
    string? Schedule,
    LoraSource? Lora,
    TransferMode Transfer,
    bool TrainingPrompts,
    bool Grid
)
{
    /// <summary>What is scored of a model folder in the published layout; null for EmojiScenes.</summary>
    public PictureEvaluationOptions? Pictures { get; init; }
}
