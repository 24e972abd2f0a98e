using CoGrpo.Rl.Configuration;

namespace CoGrpo.Cli.Commands;

/// <summary>What <c>schedule</c> was asked for.</summary>
/// <param name="Configuration">The checked configuration.</param>
/// <param name="Schedule">Checkpoint with a learned schedule; null to show the hand-made one alone.</param>
/// <param name="Picture">File to draw the four curves to (.svg), or null.</param>
internal sealed record ScheduleRequest(RunConfiguration Configuration, string? Schedule, string? Picture);
