using CoGrpo.Rl.Configuration;

namespace CoGrpo.Cli.Commands;

/// <summary>What <c>eval</c> was asked for.</summary>
/// <param name="Configuration">The checked configuration; step counts, prompts and samples are under train.evaluation.</param>
/// <param name="Schedule">Checkpoint with a learned schedule; null for the hand-made one.</param>
/// <param name="Transfer">How a learned schedule is carried to other step counts.</param>
internal sealed record EvalRequest(RunConfiguration Configuration, string? Schedule, TransferMode Transfer);
