using System.CommandLine;

namespace CoGrpo.Cli.Commands;

/// <summary><c>eval</c>: a checkpoint's scores on held-out prompts at several step counts.</summary>
internal sealed class EvalCommand : RunCommand<EvalRequest>
{
    private readonly LearnedScheduleOption _schedule = new();
    private readonly Option<string> _transfer = new("--transfer")
    {
        Description = "How a learned schedule is carried to other step counts: adaptive, table or both.",
        HelpName = "adaptive|table|both",
        DefaultValueFactory = _ => "adaptive",
    };

    /// <summary>The command with its work.</summary>
    public EvalCommand(CliContext context, CommandBody<EvalRequest> body)
        : base("eval", "Score a checkpoint on held-out prompts (settings under train.evaluation) and print the table.", context, body)
    {
        _transfer.AcceptOnlyFromAmong("adaptive", "table", "both");
        Run.AddCheckpointTo(this);
        Add(_schedule.Option);
        Add(_transfer);
    }

    /// <inheritdoc/>
    protected override EvalRequest Read(ParseResult parsed) => new(
        Run.Load(parsed), _schedule.Read(parsed),
        parsed.GetValue(_transfer) switch { "table" => TransferMode.Table, "both" => TransferMode.Both, _ => TransferMode.Adaptive });
}
