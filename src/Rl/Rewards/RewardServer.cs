using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using CoGrpo.Model;
using CoGrpo.Model.Images;
using CoGrpo.Rl.Prompts;

namespace CoGrpo.Rl.Rewards;

/// <summary>
/// Answers the requests of <see cref="RemoteReward"/> with the scores of a reward, one request after another. Bodies, pictures, waits and the number
/// of clients are bounded; whatever is wrong with a request is answered as JSON with a status from 400 on. It knows no users and no encryption: bind
/// it to an address that only friends can reach.
/// </summary>
public sealed class RewardServer : IDisposable
{
    /// <summary>Most pictures of a request.</summary>
    public const int MostPictures = 1024;

    private const int MostClients = 16;

    private readonly IReward _reward;
    private readonly TcpListener _listener;
    private readonly BlockingCollection<(byte[] Request, TaskCompletionSource<(int Status, byte[] Answer)> Reply)> _waiting = [];
    private int _clients;

    /// <summary>Listens at once; requests are answered while <see cref="Run"/> runs.</summary>
    /// <param name="reward">Scores pictures of any size; stays the caller's.</param>
    /// <param name="address">An address of this machine, or all of them.</param>
    /// <param name="port">0 for any that is free.</param>
    /// <exception cref="ModelException">The address cannot be listened at.</exception>
    public RewardServer(IReward reward, IPAddress address, int port)
    {
        ArgumentNullException.ThrowIfNull(address);
        _reward = reward;
        _listener = new TcpListener(address, port);
        try
        {
            _listener.Start();
        }
        catch (SocketException error)
        {
            throw new ModelException(
                $"{new IPEndPoint(address, port)}: wanted an address to listen at, got {error.Message.TrimEnd('.')}; choose another port or address"
            );
        }
    }

    /// <summary>Where it listens.</summary>
    public Uri Url => new($"http://{_listener.LocalEndpoint}/");

    /// <summary>Most bytes of a request.</summary>
    public long MostBytes { get; init; } = 256L << 20;

    /// <summary>Most pixels of all pictures of a request together.</summary>
    public long MostPixels { get; init; } = 1L << 27;

    /// <summary>Longest wait for a whole request, and for the taking of an answer.</summary>
    public TimeSpan WaitLimit { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Answers requests until <paramref name="cancellation"/>. Pictures are scored on the calling thread, which must be the one that drives the
    /// reward's network.
    /// </summary>
    /// <param name="log">Told a line for each request that was read: status, pictures or what was wrong.</param>
    /// <param name="cancellation">Ends it without an exception.</param>
    public void Run(Action<string> log, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(log);
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
            accepting.GetAwaiter().GetResult();
        }
    }

    /// <summary>Stops listening.</summary>
    public void Dispose()
    {
        _listener.Dispose();
        _waiting.Dispose();
    }

    private async Task Accept(CancellationToken cancellation)
    {
        var serving = new ConcurrentDictionary<Task, byte>();
        try
        {
            while (true)
            {
                TcpClient client;
                try
                {
                    client = await _listener.AcceptTcpClientAsync(cancellation).ConfigureAwait(false);
                }
                catch (SocketException)
                {
                    // A client that left in the middle of its greeting.
                    continue;
                }

                Task task = Task.Run(() => Serve(client, cancellation), CancellationToken.None);
                serving.TryAdd(task, 0);
                _ = task.ContinueWith(done => serving.TryRemove(done, out _), TaskScheduler.Default);
            }
        }
        catch (OperationCanceledException)
        {
            _listener.Stop();
            await Task.WhenAll(serving.Keys).ConfigureAwait(false);
        }
    }

    private async Task Serve(TcpClient client, CancellationToken cancellation)
    {
        try
        {
            using (client)
            {
                NetworkStream stream = client.GetStream();
                (int status, byte[] answer) =
                    Interlocked.Increment(ref _clients) > MostClients
                        ? (503, RewardProtocol.Error($"wanted at most {MostClients} requests at once; try again later"))
                        : await Reply(stream, cancellation).ConfigureAwait(false);
                using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
                limit.CancelAfter(WaitLimit);
                await HttpExchange.Write(stream, status, answer, limit.Token).ConfigureAwait(false);
                client.Client.Shutdown(SocketShutdown.Send);
                await HttpExchange.Drain(stream, limit.Token).ConfigureAwait(false);
            }
        }
        catch (Exception error) when (error is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The client is gone, or the server ends: there is nobody to tell.
        }
        finally
        {
            Interlocked.Decrement(ref _clients);
        }
    }

    private async Task<(int Status, byte[] Answer)> Reply(NetworkStream stream, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(WaitLimit);
        byte[] body;
        try
        {
            (int status, body, string wrong) = await HttpExchange.Read(stream, MostBytes, limit.Token).ConfigureAwait(false);
            if (status != 200)
            {
                return (status, RewardProtocol.Error(wrong));
            }
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return (
                408,
                RewardProtocol.Error(
                    string.Create(CultureInfo.InvariantCulture, $"wanted the whole request within {WaitLimit.TotalSeconds} s; send it faster")
                )
            );
        }

        var reply = new TaskCompletionSource<(int Status, byte[] Answer)>(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiting.Add((body, reply), cancellation);
        return await reply.Task.WaitAsync(cancellation).ConfigureAwait(false);
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
            if (!Array.TrueForAll(scores, double.IsFinite))
            {
                throw new ModelException(
                    $"{_reward.Name}: wanted finite scores, got {scores.First(score => !double.IsFinite(score))}; check its weights"
                );
            }

            return (200, RewardProtocol.Answer(scores), FormattableString.Invariant($"{images.Length} pictures"));
        }
        catch (Exception error) when (error is ModelException or PngException)
        {
            return (status, RewardProtocol.Error(error.Message), RewardProtocol.Plain(error.Message));
        }
    }
}
