using System.CommandLine;
using System.Net;
using CoGrpo.Rl;
using CoGrpo.Rl.Rewards;

namespace CoGrpo.Cli.Commands;

/// <summary><c>reward-server</c>: a reward for other machines.</summary>
internal sealed class RewardServerCommand : RewardCommand
{
    private readonly Option<int> _port = new("--port")
    {
        Description = "Port to listen at; 0 for any that is free.",
        HelpName = "N",
        DefaultValueFactory = _ => 8080,
    };
    private readonly Option<string> _bind = new("--bind")
    {
        Description = "Address to listen at; 0.0.0.0 for all. There are no users and no encryption.",
        HelpName = "ADDRESS",
        DefaultValueFactory = _ => "127.0.0.1",
    };

    /// <summary>The command.</summary>
    public RewardServerCommand(CliContext context)
        : base("reward-server", "Serve the scores of a reward over HTTP, for a reward called remote, until Ctrl-C.", context, remote: false)
    {
        Add(_port);
        Add(_bind);
    }

    /// <inheritdoc/>
    protected override Action<IReward, CancellationToken> Read(ParseResult parsed)
    {
        int port = parsed.GetValue(_port);
        if (port is < 0 or > 65_535)
        {
            throw new CommandException($"--port: expected a whole number from 0 to 65535, found {port}; correct the option", ExitCode.Usage);
        }

        string bind = parsed.GetRequiredValue(_bind);
        if (!IPAddress.TryParse(bind, out IPAddress? address))
        {
            throw new CommandException(
                $"--bind: expected an address of this machine, as in 127.0.0.1, found {bind}; correct the option",
                ExitCode.Usage
            );
        }

        return (reward, cancellation) =>
        {
            using var server = new RewardServer(reward, address, port);
            Context.Out.WriteLine($"{reward.Name} at {server.Url} until Ctrl-C");
            server.Run(Context.Error.WriteLine, cancellation);
        };
    }
}
