using System.Net;
using System.Net.Sockets;
using CoGrpo.Rl;
using CoGrpo.Rl.Rewards;

namespace CoGrpo.Tests.Rl.Rewards;

/// <summary>A reward behind a <see cref="RewardServer"/> on a free port, answering on a thread of its own.</summary>
internal sealed class ServedReward : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly RewardServer _server;
    private readonly Thread _thread;
    private readonly List<string> _log = [];

    public ServedReward(IReward reward)
        : this(new RewardServer(reward, IPAddress.Loopback, 0))
    {
    }

    /// <summary>With other bounds; the server is owned from here on.</summary>
    public ServedReward(RewardServer server)
    {
        _server = server;
        _thread = new Thread(() => _server.Run(line =>
        {
            lock (_log)
            {
                _log.Add(line);
            }
        }, _stop.Token));
        _thread.Start();
    }

    public Uri Url => _server.Url;

    /// <summary>What the server said of its requests.</summary>
    public IReadOnlyList<string> Log
    {
        get
        {
            lock (_log)
            {
                return [.. _log];
            }
        }
    }

    /// <summary>A client of it.</summary>
    public RemoteReward Client(int batch = 16) => new("remote", Url, batch, TimeSpan.FromSeconds(60), 0);

    public void Dispose()
    {
        _stop.Cancel();
        _thread.Join();
        _server.Dispose();
        _stop.Dispose();
    }

    /// <summary>A port that nobody listens at.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
