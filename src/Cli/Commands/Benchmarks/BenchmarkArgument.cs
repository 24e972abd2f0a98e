using System.CommandLine;
using CoGrpo.Rl.Benchmarks;

namespace CoGrpo.Cli.Commands.Benchmarks;

/// <summary>The argument that names a benchmark.</summary>
internal sealed class BenchmarkArgument
{
    private static readonly string[] Names = ["geneval", "dpg", "hpsv2"];

    /// <summary>The argument.</summary>
    public BenchmarkArgument() => Argument.AcceptOnlyFromAmong(Names);

    /// <summary>The argument.</summary>
    public Argument<string> Argument { get; } =
        new("benchmark") { Description = "geneval, dpg (DPG-Bench) or hpsv2 (HPDv2 benchmark).", HelpName = "geneval|dpg|hpsv2" };

    /// <summary>The benchmark.</summary>
    public BenchmarkName Read(ParseResult parsed) => (BenchmarkName)Array.IndexOf(Names, parsed.GetRequiredValue(Argument));
}
