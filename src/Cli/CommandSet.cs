using System.CommandLine;
using CoGrpo.Cli.Commands;

namespace CoGrpo.Cli;

/// <summary>The commands of this program.</summary>
internal static class CommandSet
{
    /// <summary>The root command with everything this version can do.</summary>
    public static RootCommand Create(CliContext context) => new("Post-trains masked image diffusion models together with their sampling schedule (Co-GRPO), and samples from them.")
    {
        DeviceOption.Instance,
        new InspectCommand(context),
        new DoctorCommand(context),
    };
}
