using System.CommandLine;
using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.Rewards;

namespace CoGrpo.Cli;

/// <summary>The options that say which reward a command works with.</summary>
internal sealed class RewardOptions
{
    private static readonly RewardName[] Networks = [RewardName.ImageReward, RewardName.HpsV2, RewardName.ClipScore, RewardName.Mps];

    private readonly RewardName[] _names;
    private readonly Option<string> _name;
    private readonly Option<string?> _weights = new("--weights", "-w")
    {
        Description = "Networks: the published file, or a folder with it and a configuration.",
        HelpName = "PATH",
    };
    private readonly Option<string> _version = new("--hps-version")
    {
        Description = "hpsv2: which weights these are; files do not tell.",
        HelpName = "v2.0|v2.1",
        DefaultValueFactory = _ => "v2.0",
    };
    private readonly Option<bool> _aliased = new("--no-antialias")
    {
        Description = "hpsv2: resize pictures without antialiasing, as torchvision did before 0.17.",
    };
    private readonly Option<int> _batch = new("--batch")
    {
        Description = "Pictures of one pass.",
        HelpName = "N",
        DefaultValueFactory = _ => 16,
    };
    private readonly Option<string?> _url = new("--url") { Description = "remote: where the server is.", HelpName = "URL" };
    private readonly Option<int> _threads = new("--threads") { Description = "Number of CPU threads; 0 for all cores.", HelpName = "N" };

    /// <summary>The options, with a server as a choice where <paramref name="remote"/> says so.</summary>
    public RewardOptions(bool remote)
    {
        _names = remote ? [.. Networks, RewardName.Remote] : Networks;
        string[] names = [.. _names.Select(RewardRegistry.NameOf)];
        _name = new Option<string>("--reward", "-r") { Description = "The reward.", HelpName = string.Join('|', names), Required = true };
        _name.AcceptOnlyFromAmong(names);
        _version.AcceptOnlyFromAmong("v2.0", "v2.1");
    }

    /// <summary>Adds the options to <paramref name="command"/>.</summary>
    public void AddTo(Command command)
    {
        command.Add(_name);
        command.Add(_weights);
        command.Add(_version);
        command.Add(_aliased);
        command.Add(_batch);
        command.Add(_threads);
        if (_names.Contains(RewardName.Remote))
        {
            command.Add(_url);
        }
    }

    /// <summary>The reward asked for.</summary>
    /// <exception cref="CommandException">A number is out of range, or what the reward needs is not given.</exception>
    public RewardConfiguration Read(ParseResult parsed)
    {
        RewardName name = _names[Array.FindIndex(_names, known => RewardRegistry.NameOf(known) == parsed.GetRequiredValue(_name))];
        int batch = parsed.GetValue(_batch);
        if (batch is < 1 or > 4096)
        {
            throw new CommandException($"--batch: expected a whole number from 1 to 4096, found {batch}; correct the option", ExitCode.Usage);
        }

        string? url = name == RewardName.Remote ? parsed.GetValue(_url) : null;
        if (name == RewardName.Remote && !(Uri.TryCreate(url, UriKind.Absolute, out Uri? address) && address.Scheme is "http" or "https"))
        {
            throw new CommandException(
                $"--url: expected the address of a server, as in http://localhost:8080/, found {url ?? "none"}; give it",
                ExitCode.Usage
            );
        }

        if (name != RewardName.Remote && parsed.GetValue(_weights) is null)
        {
            throw new CommandException("--weights: expected the file of the network, or a folder that holds it, found none; name it", ExitCode.Usage);
        }

        return new RewardConfiguration
        {
            Name = name,
            Weights = parsed.GetValue(_weights),
            Version = parsed.GetValue(_version) == "v2.1" ? HpsVersionName.V21 : HpsVersionName.V20,
            Antialias = !parsed.GetValue(_aliased),
            Batch = batch,
            Url = url,
        };
    }

    /// <summary>The settings of device and threads.</summary>
    public RunConfiguration Settings(ParseResult parsed) =>
        ConfigurationLoader.Load(null, [FormattableString.Invariant($"threads={parsed.GetValue(_threads)}"), .. DeviceOption.Overrides(parsed)]);
}
