using CoGrpo.Rl.Configuration;

namespace CoGrpo.Cli.Commands;

/// <summary>What <c>sample</c> was asked for.</summary>
/// <param name="Configuration">The checked configuration; steps, seed and checkpoint are in it.</param>
/// <param name="Prompts">The prompts, at least one.</param>
/// <param name="Samples">Pictures per prompt.</param>
/// <param name="Schedule">Checkpoint with a learned schedule; null for the hand-made one.</param>
internal sealed record SampleRequest(RunConfiguration Configuration, IReadOnlyList<string> Prompts, int Samples, string? Schedule);
