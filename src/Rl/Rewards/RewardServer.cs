using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using CoGrpo.Model;
using CoGrpo.Model.Images;
using CoGrpo.Rl.Prompts;

namespace CoGrpo.Rl.Rewards;

/// <summary>
/// Answers the requests of <see cref="RemoteReward"/> with the scores of a reward, one request after another. Bodies, pictures, waits and the number of clients are bounded; whatever is wrong
/// with a request is answered as JSON with a status from 400 on. It knows no users and no encryption: bind it to an address that only friends can reach.
/// </summary>
public sealed class RewardServer : IDisposable
{
    /// <summary>Most pictures of a request.</summary>
    public const int MostPictures = 1024;

    private const int MostClients = 16;
    private const int ReadBytes = 1 << 16;

    private readonly IReward _reward;
    private readonly HttpListener _listener = new();
    private readonly BlockingCollection<(byte[] Request, TaskCompletionSource<(int Status, byte[] Answer)> Reply)> _waiting = new(MostClients);
    private int _clients;

    /// <summary>Listens at once; requests are answered while <see cref="Run"/> runs.</summary>
    /// <param name="reward">Scores pictures of any size; stays the caller's.</param>
    /// <param name="address">An address of this machine, or all of them.</param>
    /// <param name="port">From 1 to 65535.</param>
    /// <exception cref="ModelException">The address cannot be listened at.</exception>
    public RewardServer(IReward reward, IPAddress address, int port)
    {
        ArgumentNullException.ThrowIfNull(address);
        _reward = reward;
        string host = address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any) ? "+" : address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? $"[{address}]" : $"{address}";
        string prefix = string.Create(CultureInfo.InvariantCulture, $"http://{host}:{port}/");
        _listener.Prefixes.Add(prefix);
        try
        {
            _listener.Start();
        }
        catch (HttpListenerException error)
        {
            throw new ModelException($"{prefix}: wanted an address to listen at, got {error.Message.TrimEnd('.')}; choose another port or address");
        }
    }

    /// <summary>Most bytes of a request.</summary>
    public long MostBytes { get; init; } = 256L << 20;

    /// <summary>Most pixels of all pictures of a request together.</summary>
    public long MostPixels { get; init; } = 1L << 27;

    /// <summary>Longest wait for the rest of a request.</summary>
    public TimeSpan ReadTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Answers requests until <paramref name="cancellation"/>. Pictures are scored on the calling thread, which must be the one that drives the reward's network.</summary>
    /// <param name="log">Told a line for each request: status, pictures or what was wrong.</param>
    /// <param name="cancellation">Ends it without an exception.</param>
    public void Run(Action<string> log, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(log);
        using CancellationTokenRegistration stop = cancellation.Register(_listener.Stop);
        Task accepting = Accept(cancellation);
        try
        {
            foreach ((byte[] request, TaskCompletionSource<(int Status, byte[] Answer)> reply) in _waiting.GetConsumingEnumerable(cancellation))
            {
                (int status, byte[] answer, string said) = Answer(request);
                log(string.Create(CultureInfo.InvariantCulture, $"{status} {said}"));
                reply.SetResult((status, answer));
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            accepting.Wait(CancellationToken.None);
        }
    }

    /// <summary>Stops listening.</summary>
    public void Dispose()
    {
        _listener.Close();
        _waiting.Dispose();
    }

    private async Task Accept(CancellationToken cancellation)
    {
        while (!cancellation.IsCancellationRequested)
        {
            try
            {
                HttpListenerContext context = await _listener.GetContextAsync().ConfigureAwait(false);
                _ = Task.Run(() => Serve(context, cancellation), CancellationToken.None);
            }
            catch (Exception error) when (error is HttpListenerException or ObjectDisposedException or InvalidOperationException)
            {
                // The listener was stopped, or a client left in the middle of its greeting.
                if (!_listener.IsListening)
                {
                    return;
                }
            }
        }
    }

    private async Task Serve(HttpListenerContext context, CancellationToken cancellation)
    {
        try
        {
            (int status, byte[] answer) = Interlocked.Increment(ref _clients) > MostClients ? (503, RewardProtocol.Error("too many requests at once; try again later")) : await Reply(context.Request, cancellation).ConfigureAwait(false);
            context.Response.StatusCode = status;
            context.Response.ContentType = RewardProtocol.MediaType;
            context.Response.ContentLength64 = answer.Length;

            // What is left of a body that was not read would be taken for the next request.
            context.Response.KeepAlive = status == 200;
            await context.Response.OutputStream.WriteAsync(answer, cancellation).ConfigureAwait(false);
            context.Response.Close();
        }
        catch (Exception error) when (error is HttpListenerException or IOException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
        {
            // The client is gone, or the server ends: there is nobody to tell.
            context.Response.Abort();
        }
        finally
        {
            Interlocked.Decrement(ref _clients);
        }
    }

    private async Task<(int Status, byte[] Answer)> Reply(HttpListenerRequest request, CancellationToken cancellation)
    {
        if (request.HttpMethod != "POST")
        {
            return (405, RewardProtocol.Error("wanted POST; send prompts and images"));
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(ReadTimeout);
        byte[]? body;
        try
        {
            body = request.ContentLength64 > MostBytes ? null : await Body(request.InputStream, limit.Token).WaitAsync(limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return (408, RewardProtocol.Error(string.Create(CultureInfo.InvariantCulture, $"the request was not whole within {ReadTimeout.TotalSeconds} s; send it faster")));
        }

        if (body is null)
        {
            return (413, RewardProtocol.Error($"wanted a request of at most {MostBytes} bytes; send fewer pictures at a time"));
        }

        var reply = new TaskCompletionSource<(int Status, byte[] Answer)>(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiting.Add((body, reply), cancellation);
        return await reply.Task.WaitAsync(cancellation).ConfigureAwait(false);
    }

    private async Task<byte[]?> Body(Stream stream, CancellationToken cancellation)
    {
        using var body = new MemoryStream();
        byte[] buffer = new byte[ReadBytes];
        while (body.Length <= MostBytes)
        {
            int read = await stream.ReadAsync(buffer, cancellation).ConfigureAwait(false);
            if (read == 0)
            {
                return body.ToArray();
            }

            body.Write(buffer, 0, read);
        }

        return null;
    }

    private (int Status, byte[] Answer, string Said) Answer(byte[] request)
    {
        int status = 400;
        try
        {
            (string[] prompts, byte[][] pictures) = RewardProtocol.ReadRequest(request, MostPictures, PromptFile.Longest);
            long pixels = 0;
            for (int i = 0; i < pictures.Length; i++)
            {
                (int width, int height) = PngReader.ReadSize(pictures[i], $"image {i}");
                pixels += (long)width * height;
            }

            if (pixels > MostPixels)
            {
                throw new ModelException($"request: wanted pictures of at most {MostPixels} pixels together, got {pixels}; send fewer at a time");
            }

            RgbImage[] images = [.. pictures.Select((picture, i) => PngReader.Decode(picture, $"image {i}").Over(255, 255, 255))];
            status = 500;
            double[] scores = new double[images.Length];
            _reward.Score(new RewardBatch([.. prompts.Select(prompt => new TextPrompt(prompt))], images), scores);
            return (200, RewardProtocol.Answer(scores), FormattableString.Invariant($"{images.Length} pictures"));
        }
        catch (Exception error) when (error is ModelException or PngException)
        {
            return (status, RewardProtocol.Error(error.Message), RewardProtocol.Plain(error.Message));
        }
    }
}
