using System.CommandLine;
using CoGrpo.Rl.Serving;

namespace CoGrpo.Cli.Commands;

/// <summary><c>eval</c>: a checkpoint's scores on held-out prompts at several step counts.</summary>
internal sealed class EvalCommand : RunCommand<EvalRequest>
{
    private readonly LearnedScheduleOption _schedule = new();
    private readonly LoraOption _lora = new();
    private readonly Option<string> _transfer = new("--transfer")
    {
        Description = "How a learned schedule is carried to other step counts: adaptive, table or both.",
        HelpName = "adaptive|table|both",
        DefaultValueFactory = _ => "adaptive",
    };

    private readonly Option<string> _split = new("--split")
    {
        Description = "Which prompts to score: those no training has seen, or the training prompts.",
        HelpName = "held-out|train",
        DefaultValueFactory = _ => "held-out",
    };

    private readonly Option<bool> _grid = new("--grid") { Description = "Also search the hand-made schedule's settings on training prompts and score the best on held-out ones; takes minutes." };

    /// <summary>The command with its work.</summary>
    public EvalCommand(CliContext context, CommandBody<EvalRequest> body)
        : base("eval", "Score a checkpoint on held-out prompts (settings under train.evaluation) and print the table.", context, body)
    {
        _transfer.AcceptOnlyFromAmong("adaptive", "table", "both");
        _split.AcceptOnlyFromAmong("held-out", "train");
        Run.AddCheckpointTo(this);
        Add(_schedule.Option);
        _lora.AddTo(this);
        Add(_transfer);
        Add(_split);
        Add(_grid);
    }

    /// <inheritdoc/>
    protected override EvalRequest Read(ParseResult parsed) => new(
        Run.Load(parsed), _schedule.Read(parsed), _lora.Read(parsed),
        parsed.GetValue(_transfer) switch { "table" => TransferMode.Table, "both" => TransferMode.Both, _ => TransferMode.Adaptive },
        parsed.GetValue(_split) == "train", parsed.GetValue(_grid));
}
