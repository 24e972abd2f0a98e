using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.Serving;

namespace CoGrpo.Cli;

/// <summary>The options that say which configuration a command works with.</summary>
internal sealed class RunOptions
{
    private readonly Option<string?> _config = new("--config", "-c")
    {
        Description = "Configuration file (JSON with comments); without one the preset emoji-scenes.",
        HelpName = "FILE",
    };
    private readonly Option<string[]> _set = new("--set")
    {
        Description = "Override one setting, as in --set train.mode=naive; may be repeated.",
        HelpName = "PATH=VALUE",
        DefaultValueFactory = _ => [],
    };
    private readonly Option<long?> _seed = new("--seed") { Description = "Seed of the run.", HelpName = "N" };
    private readonly Option<int?> _threads = new("--threads") { Description = "Number of CPU threads; 0 for all cores.", HelpName = "N" };
    private readonly Option<string?> _output = new("--output", "-o") { Description = "Run folder.", HelpName = "FOLDER" };

    private readonly Option<string?> _checkpoint = new("--checkpoint", "-m")
    {
        Description = "Model checkpoint, a file or folder.",
        HelpName = "PATH",
    };
    private readonly Option<int?> _steps = new("--steps", "-t") { Description = "Number of sampling steps.", HelpName = "T" };

    /// <summary>Adds the options to <paramref name="command"/>.</summary>
    public void AddTo(Command command)
    {
        command.Add(_config);
        command.Add(_set);
        command.Add(_seed);
        command.Add(_threads);
        command.Add(_output);
    }

    /// <summary>Adds the model's checkpoint to <paramref name="command"/>.</summary>
    public void AddCheckpointTo(Command command) => command.Add(_checkpoint);

    /// <summary>Adds checkpoint and number of steps to <paramref name="command"/>.</summary>
    public void AddSamplingTo(Command command)
    {
        AddCheckpointTo(command);
        command.Add(_steps);
    }

    /// <summary>Prompts come from the command line: no configuration needs to name a file of them.</summary>
    public bool PromptsGiven { get; init; }

    /// <summary>
    /// The configuration: file, then --set in order, then the options with a name of their own, <paramref name="more"/> among them.
    /// </summary>
    /// <exception cref="ConfigurationException">The configuration cannot be used.</exception>
    public RunConfiguration Load(ParseResult parsed, params IEnumerable<string> more)
    {
        List<string> overrides = [];
        if (PromptsGiven && parsed.GetValue(_config) is null && PictureService.IsPictureModel(parsed.GetValue(_checkpoint)))
        {
            // A published model wants the settings it was published with, not those of the small shipped one.
            overrides.Add("preset=paper");
        }

        if (parsed.CommandResult.Command.Options.Contains(_steps))
        {
            // Sampling alone takes any number of steps: the rule that training picks its steps among them must not refuse a small one.
            overrides.Add("train.model.stepsTrained=0");
        }

        overrides.AddRange(parsed.GetValue(_set) ?? []);
        Add(overrides, "seed", parsed.GetValue(_seed)?.ToString(CultureInfo.InvariantCulture));
        Add(overrides, "threads", parsed.GetValue(_threads)?.ToString(CultureInfo.InvariantCulture));
        Add(overrides, "output.directory", Quote(parsed.GetValue(_output)));
        if (parsed.CommandResult.Command.Options.Contains(_checkpoint))
        {
            Add(overrides, "model.checkpoint", Quote(parsed.GetValue(_checkpoint)));
        }

        if (parsed.CommandResult.Command.Options.Contains(_steps) && parsed.GetValue(_steps) is { } steps)
        {
            Add(overrides, "sampling.steps", steps.ToString(CultureInfo.InvariantCulture));
        }

        overrides.AddRange(more);
        overrides.AddRange(DeviceOption.Overrides(parsed));
        return ConfigurationLoader.Load(parsed.GetValue(_config), overrides, PromptsGiven);
    }

    // A path may look like a number or contain backslashes: as a JSON string it stays what it is.
    private static string? Quote(string? path) => path is null ? null : JsonSerializer.Serialize(path);

    private static void Add(List<string> overrides, string path, string? value)
    {
        if (value is not null)
        {
            overrides.Add($"{path}={value}");
        }
    }
}
