using System.CommandLine;

namespace CoGrpo.Cli.Commands.Conversion;

/// <summary><c>convert</c>: published model folders in and out.</summary>
internal sealed class ConvertCommand : Command
{
    /// <summary>The command with its subcommands.</summary>
    public ConvertCommand(CliContext context)
        : base("convert", "Published model folders in and out.")
    {
        foreach (Command command in All(context))
        {
            Add(command);
        }
    }

    /// <summary>The subcommands, which are all of the program weights-converter.</summary>
    public static IEnumerable<Command> All(CliContext context) =>
        [
            CopyCommand.Import(context),
            CopyCommand.Export(context),
            new VerifyCommand(context),
            new InspectCommand(context),
            new SynthesizeCommand(context),
            new SynthesizeRewardCommand(context),
        ];
}
