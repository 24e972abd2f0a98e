using CoGrpo.Rl.Configuration;

namespace CoGrpo.Cli.Commands;

/// <summary>What <c>pretrain</c> was asked for.</summary>
/// <param name="Configuration">The checked configuration.</param>
/// <param name="Resume">Go on from the last checkpoint of the run folder.</param>
internal sealed record PretrainRequest(RunConfiguration Configuration, bool Resume);
