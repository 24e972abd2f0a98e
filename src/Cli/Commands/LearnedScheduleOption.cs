using System.CommandLine;

namespace CoGrpo.Cli.Commands;

/// <summary>The option that chooses between the hand-made schedule and a learned one.</summary>
internal sealed class LearnedScheduleOption
{
    private const string HandMade = "hand-made";

    /// <summary>The option.</summary>
    public Option<string> Option { get; } = new("--schedule")
    {
        Description = "hand-made, or a checkpoint with a learned schedule.",
        HelpName = "hand-made|CHECKPOINT",
        DefaultValueFactory = _ => HandMade,
    };

    /// <summary>The checkpoint's path, or null for the hand-made schedule.</summary>
    public string? Read(ParseResult parsed)
    {
        string value = parsed.GetValue(Option)!;
        if (value == HandMade)
        {
            return null;
        }

        return File.Exists(value) || Directory.Exists(value)
            ? value
            : throw new CommandException(
                $"--schedule: expected hand-made or an existing checkpoint, found \"{value}\"; check the path",
                ExitCode.Usage
            );
    }
}
