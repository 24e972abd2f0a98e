using CoGrpo.Rl.Configuration;

namespace CoGrpo.Cli.Commands;

/// <summary>What <c>train</c> was asked for.</summary>
/// <param name="Configuration">The checked configuration.</param>
/// <param name="Resume">Go on from the last checkpoint of the run folder.</param>
internal sealed record TrainRequest(RunConfiguration Configuration, bool Resume);
