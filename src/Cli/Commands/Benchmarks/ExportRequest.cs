using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.Serving;

namespace CoGrpo.Cli.Commands.Benchmarks;

/// <summary>What <c>eval export</c> was asked for.</summary>
/// <param name="Configuration">The checked configuration; steps, seed and checkpoint are in it.</param>
/// <param name="Export">Prompts, files and schedule.</param>
internal sealed record ExportRequest(RunConfiguration Configuration, ExportOptions Export);
