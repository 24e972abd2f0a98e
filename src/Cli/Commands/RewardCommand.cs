using System.CommandLine;
using CoGrpo.Rl;
using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.Rewards;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Cli.Commands;

/// <summary>A command that works with one reward, which it makes and frees.</summary>
internal abstract class RewardCommand : Command
{
    private readonly RewardOptions _options;

    /// <summary>The command; with <paramref name="remote"/> the reward may be a server.</summary>
    protected RewardCommand(string name, string description, CliContext context, bool remote)
        : base(name, description)
    {
        Context = context;
        _options = new RewardOptions(remote);
        _options.AddTo(this);
        SetAction((parsed, cancellation) => Task.FromResult(Run(parsed, cancellation)));
    }

    /// <summary>The outside world.</summary>
    protected CliContext Context { get; }

    /// <summary>Reads and checks the options beside the reward's; returns the work with it.</summary>
    protected abstract Action<IReward, CancellationToken> Read(ParseResult parsed);

    private int Run(ParseResult parsed, CancellationToken cancellation)
    {
        Action<IReward, CancellationToken> work = Read(parsed);
        RewardConfiguration configuration = _options.Read(parsed);
        RunConfiguration settings = _options.Settings(parsed);
        using ComputeDevice device = DeviceOption.Open(settings, Context);
        IBackend backend = device.LaneBackend(settings.Threads > 0 ? settings.Threads : Environment.ProcessorCount);
        try
        {
            IReward reward = RewardRegistry.Create(configuration, backend);
            using var owned = reward as IDisposable;
            work(reward, cancellation);
            return ExitCode.Success;
        }
        finally
        {
            if (!ReferenceEquals(backend, device.Backend))
            {
                backend.Dispose();
            }
        }
    }
}
