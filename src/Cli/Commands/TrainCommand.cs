using System.CommandLine;

namespace CoGrpo.Cli.Commands;

/// <summary><c>train</c>: Co-GRPO and its variants.</summary>
internal sealed class TrainCommand : RunCommand<TrainRequest>
{
    private readonly Option<bool> _resume = new("--resume") { Description = "Go on from the run folder's last checkpoint." };

    /// <summary>The command with its work.</summary>
    public TrainCommand(CliContext context, CommandBody<TrainRequest> body)
        : base("train", "Improve a model and its sampling schedule together by Co-GRPO.", context, body) => Add(_resume);

    /// <inheritdoc/>
    protected override TrainRequest Read(ParseResult parsed) => new(Run.Load(parsed), parsed.GetValue(_resume));
}
