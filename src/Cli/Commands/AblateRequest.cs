using CoGrpo.Rl.Ablation;
using CoGrpo.Rl.Configuration;

namespace CoGrpo.Cli.Commands;

/// <summary>What <c>ablate</c> was asked for.</summary>
/// <param name="Configuration">The checked configuration that arms change.</param>
/// <param name="Study">Its arms and seeds.</param>
/// <param name="Resume">Keep finished runs and go on with interrupted ones.</param>
internal sealed record AblateRequest(RunConfiguration Configuration, AblationStudy Study, bool Resume);
