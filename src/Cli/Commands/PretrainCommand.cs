using System.CommandLine;

namespace CoGrpo.Cli.Commands;

/// <summary><c>pretrain</c>: masked-token training of a base model.</summary>
internal sealed class PretrainCommand : RunCommand<PretrainRequest>
{
    private readonly Option<bool> _resume = new("--resume") { Description = "Go on from the run folder's last checkpoint." };

    /// <summary>The command with its work.</summary>
    public PretrainCommand(CliContext context, CommandBody<PretrainRequest> body)
        : base("pretrain", "Train a base model by predicting masked codes.", context, body) => Add(_resume);

    /// <inheritdoc/>
    protected override PretrainRequest Read(ParseResult parsed) => new(Run.Load(parsed), parsed.GetValue(_resume));
}
