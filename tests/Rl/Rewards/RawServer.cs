using System.Net;
using System.Net.Sockets;
using System.Text;

namespace CoGrpo.Tests.Rl.Rewards;

/// <summary>A server on a free port of this machine that reads each request as far as its headers say and then does what a test tells it.</summary>
internal sealed class RawServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Func<NetworkStream, int, CancellationToken, Task> _answer;
    private int _requests;

    /// <param name="answer">Writes to a client; the number counts requests from 1.</param>
    public RawServer(Func<NetworkStream, int, CancellationToken, Task> answer)
    {
        _answer = answer;
        _listener.Start();
        _ = Task.Run(Accept);
    }

    /// <summary>Writes this text to every client and hangs up.</summary>
    public RawServer(string answer)
        : this((stream, _, stop) => stream.WriteAsync(Encoding.Latin1.GetBytes(answer), stop).AsTask())
    {
    }

    /// <summary>Where it is.</summary>
    public Uri Url => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/score");

    /// <summary>Requests so far.</summary>
    public int Requests => _requests;

    /// <summary>A whole answer with a body.</summary>
    public static string Http(string body, string status = "200 OK", string headers = "") =>
        $"HTTP/1.1 {status}\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\nConnection: close\r\n{headers}\r\n{body}";

    public void Dispose()
    {
        _stop.Cancel();
        _listener.Stop();
    }

    private async Task Accept()
    {
        while (!_stop.IsCancellationRequested)
        {
            TcpClient client = await _listener.AcceptTcpClientAsync(_stop.Token);
            _ = Task.Run(async () =>
            {
                using (client)
                {
                    NetworkStream stream = client.GetStream();
                    await ReadRequest(stream);
                    await _answer(stream, Interlocked.Increment(ref _requests), _stop.Token);
                }
            });
        }
    }

    private async Task ReadRequest(NetworkStream stream)
    {
        var text = new StringBuilder();
        byte[] one = new byte[1];
        while (!text.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal) && await stream.ReadAsync(one, _stop.Token) == 1)
        {
            text.Append((char)one[0]);
        }

        string length = text.ToString().Split("\r\n").First(line => line.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase))[15..];
        await stream.ReadExactlyAsync(new byte[int.Parse(length, System.Globalization.CultureInfo.InvariantCulture)], _stop.Token);
    }
}
