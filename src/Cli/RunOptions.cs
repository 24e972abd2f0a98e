using System.CommandLine;
using System.Globalization;
using CoGrpo.Rl.Configuration;

namespace CoGrpo.Cli;

/// <summary>The options that say which configuration a command works with.</summary>
internal sealed class RunOptions
{
    private readonly Option<string?> _config = new("--config", "-c") { Description = "Configuration file (JSON with comments); without one the preset emoji-scenes.", HelpName = "FILE" };
    private readonly Option<string[]> _set = new("--set") { Description = "Override one setting, as in --set train.mode=naive; may be repeated.", HelpName = "PATH=VALUE", DefaultValueFactory = _ => [] };
    private readonly Option<long?> _seed = new("--seed") { Description = "Seed of the run.", HelpName = "N" };
    private readonly Option<int?> _threads = new("--threads") { Description = "Number of CPU threads; 0 for all cores.", HelpName = "N" };
    private readonly Option<string?> _output = new("--output", "-o") { Description = "Run folder.", HelpName = "FOLDER" };

    /// <summary>Adds the options to <paramref name="command"/>.</summary>
    public void AddTo(Command command)
    {
        command.Add(_config);
        command.Add(_set);
        command.Add(_seed);
        command.Add(_threads);
        command.Add(_output);
    }

    /// <summary>The configuration: file, then --set in order, then the options with a name of their own.</summary>
    /// <exception cref="ConfigurationException">The configuration cannot be used.</exception>
    /// <exception cref="CommandException">It asks for a device that this version does not have.</exception>
    public RunConfiguration Load(ParseResult parsed)
    {
        List<string> overrides = [.. parsed.GetValue(_set) ?? []];
        Add(overrides, "seed", parsed.GetValue(_seed)?.ToString(CultureInfo.InvariantCulture));
        Add(overrides, "threads", parsed.GetValue(_threads)?.ToString(CultureInfo.InvariantCulture));
        Add(overrides, "output.directory", parsed.GetValue(_output) is { } folder ? System.Text.Json.JsonSerializer.Serialize(folder) : null);
        if (DeviceOption.Override(parsed) is { } device)
        {
            overrides.Add(device);
        }

        RunConfiguration configuration = ConfigurationLoader.Load(parsed.GetValue(_config), overrides);
        DeviceOption.Require(configuration.Device);
        return configuration;
    }

    private static void Add(List<string> overrides, string path, string? value)
    {
        if (value is not null)
        {
            overrides.Add($"{path}={value}");
        }
    }
}
