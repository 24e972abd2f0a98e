using System.CommandLine;
using System.Globalization;
using CoGrpo.Rl.Serving;

namespace CoGrpo.Cli.Commands;

/// <summary>The options that put adapters on the model.</summary>
internal sealed class LoraOption
{
    private const double Largest = 100;

    private readonly Option<string?> _path = new("--lora")
    {
        Description = "Low-rank adapters to put on the model: a safetensors file or the folder that holds it.",
        HelpName = "FOLDER",
    };
    private readonly Option<double> _scale = new("--lora-scale")
    {
        Description = "Weight of the adapters' effect; 1 for that of training.",
        HelpName = "S",
        DefaultValueFactory = _ => 1,
    };

    /// <summary>Adds the options to <paramref name="command"/>.</summary>
    public void AddTo(Command command)
    {
        command.Add(_path);
        command.Add(_scale);
    }

    /// <summary>The adapters asked for, or null.</summary>
    /// <exception cref="CommandException">The path does not exist or the scale is out of range.</exception>
    public LoraSource? Read(ParseResult parsed)
    {
        double scale = parsed.GetValue(_scale);
        if (!(Math.Abs(scale) <= Largest))
        {
            string found = scale.ToString(CultureInfo.InvariantCulture);
            throw new CommandException(
                $"--lora-scale: expected a number from -{Largest} to {Largest}, found {found}; correct the option",
                ExitCode.Usage
            );
        }

        string? path = parsed.GetValue(_path);
        if (path is null)
        {
            return scale == 1
                ? null
                : throw new CommandException("--lora-scale: expected --lora with it, found none; name the adapters", ExitCode.Usage);
        }

        return File.Exists(path) || Directory.Exists(path)
            ? new LoraSource(path, scale)
            : throw new CommandException($"--lora: expected adapters, found no file or folder {path}; check the path", ExitCode.Usage);
    }
}
