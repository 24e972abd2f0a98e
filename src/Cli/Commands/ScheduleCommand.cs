using System.CommandLine;

namespace CoGrpo.Cli.Commands;

/// <summary><c>schedule</c>: the four curves, learned beside hand-made.</summary>
internal sealed class ScheduleCommand : RunCommand<ScheduleRequest>
{
    private readonly LearnedScheduleOption _schedule = new();
    private readonly Option<string?> _picture = new("--svg") { Description = "Draw the curves to this file.", HelpName = "FILE" };

    /// <summary>The command with its work.</summary>
    public ScheduleCommand(CliContext context, CommandBody<ScheduleRequest> body)
        : base("schedule", "Print and draw the four curves of the schedule, learned beside hand-made.", context, body)
    {
        Run.AddSamplingTo(this);
        Add(_schedule.Option);
        Add(_picture);
    }

    /// <inheritdoc/>
    protected override ScheduleRequest Read(ParseResult parsed) => new(Run.Load(parsed), _schedule.Read(parsed), parsed.GetValue(_picture));
}
