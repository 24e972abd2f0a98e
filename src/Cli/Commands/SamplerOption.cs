using System.CommandLine;

namespace CoGrpo.Cli.Commands;

/// <summary>The option that chooses how a re-mask ratio becomes a number of codes.</summary>
internal sealed class SamplerOption
{
    /// <summary>The option.</summary>
    public SamplerOption() => Option.AcceptOnlyFromAmong("own", "reference");

    /// <summary>The option.</summary>
    public Option<string> Option { get; } = new("--sampler")
    {
        Description = "Count of codes per step: own (fp64) or reference (fp32, as the published scheduler).",
        HelpName = "own|reference",
        DefaultValueFactory = _ => "own",
    };

    /// <summary>Adds the option to <paramref name="command"/>.</summary>
    public void AddTo(Command command) => command.Add(Option);

    /// <summary>Whether the published scheduler's counts were asked for.</summary>
    public bool ReferenceCounts(ParseResult parsed) => parsed.GetValue(Option) == "reference";
}
