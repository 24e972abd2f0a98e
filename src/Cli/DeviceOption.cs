using System.CommandLine;
using CoGrpo.Cli.Diagnostics;
using CoGrpo.Rl.Configuration;

namespace CoGrpo.Cli;

/// <summary>The option <c>--device</c>, known to every command.</summary>
internal static class DeviceOption
{
    /// <summary>The option; null where it is not given.</summary>
    public static Option<string?> Instance { get; } = Create();

    /// <summary>The configuration override the option stands for, or null.</summary>
    public static string? Override(ParseResult parsed) => parsed.GetValue(Instance) is { } name ? $"device={name}" : null;

    /// <summary>Throws unless the arithmetic can run on <paramref name="device"/> in this version.</summary>
    public static void Require(DeviceName device)
    {
        if (device == DeviceName.Cuda)
        {
            string tried = string.Join(", ", GpuProbe.All().Select(library => library.Summary));
            throw new CommandException($"device cuda: this version computes on the CPU only, the CUDA backend comes with a later one (tried {tried}); use --device cpu");
        }
    }

    /// <summary>Throws if the command line itself asks for a device that this version does not have.</summary>
    public static void Require(ParseResult parsed) => Require(parsed.GetValue(Instance) == "cuda" ? DeviceName.Cuda : DeviceName.Cpu);

    private static Option<string?> Create()
    {
        Option<string?> option = new("--device") { Description = "Where the arithmetic runs: cpu or cuda.", Recursive = true, HelpName = "cpu|cuda" };
        option.AcceptOnlyFromAmong("cpu", "cuda");
        return option;
    }
}
