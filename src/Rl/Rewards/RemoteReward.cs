using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using CoGrpo.Model;
using CoGrpo.Model.Images;

namespace CoGrpo.Rl.Rewards;

/// <summary>
/// A server that scores pictures, over HTTP with JSON and PNG (<see cref="RewardServer"/> is one). Some requests are in flight together; one that
/// fails for a reason that may pass is sent again after a pause that doubles. Nothing the server does is taken on trust: whatever it does wrong ends
/// in one <see cref="ModelException"/> within bounded time and memory.
/// </summary>
public sealed class RemoteReward : IReward, IDisposable
{
    private const int InFlight = 4;
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    private readonly Uri _url;
    private readonly int _batch;
    private readonly TimeSpan _timeout;
    private readonly int _retries;
    private readonly HttpClient _client;
    private readonly SemaphoreSlim _slots = new(InFlight);
    private readonly CancellationTokenSource _closed = new();

    /// <param name="name">Name in configurations and logs.</param>
    /// <param name="url">Where requests are posted to, http or https.</param>
    /// <param name="batch">Most pictures of a request.</param>
    /// <param name="timeout">Longest wait for an answer, from the start of a request to the last byte.</param>
    /// <param name="retries">How often a request that failed is sent again.</param>
    public RemoteReward(string name, Uri url, int batch, TimeSpan timeout, int retries)
    {
        ArgumentNullException.ThrowIfNull(url);
        ArgumentOutOfRangeException.ThrowIfLessThan(batch, 1);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(timeout, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfNegative(retries);
        (Name, _url, _batch, _timeout, _retries) = (name, url, batch, timeout, retries);

        // A redirect could lead anywhere and compression would defeat the bound on the answer.
        _client = new HttpClient(
            new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                AutomaticDecompression = DecompressionMethods.None,
                UseCookies = false,
                MaxConnectionsPerServer = InFlight,
            }
        )
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <summary>Pause before a request is sent for the second time.</summary>
    public TimeSpan FirstPause { get; init; } = TimeSpan.FromSeconds(0.5);

    /// <inheritdoc/>
    /// <exception cref="ModelException">The server cannot be reached, takes too long, refuses, or answers something else than a finite number for
    /// each picture.</exception>
    public void Score(RewardBatch batch, Span<double> scores, CancellationToken cancellation = default)
    {
        batch.CheckScores(scores.Length);
        var parts = new List<Task<double[]>>();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        try
        {
            for (int first = 0; first < batch.Count; first += _batch)
            {
                int count = Math.Min(_batch, batch.Count - first);
                string[] prompts = new string[count];
                var pictures = new RgbImage[count];
                for (int i = 0; i < count; i++)
                {
                    (prompts[i], pictures[i]) = (batch.Prompt(first + i).Text, batch.Image(first + i));
                }

                parts.Add(Start(prompts, pictures, stop.Token));
            }

            for (int part = 0; part < parts.Count; part++)
            {
                parts[part].GetAwaiter().GetResult().CopyTo(scores[(part * _batch)..]);
            }
        }
        finally
        {
            stop.Cancel();
            AwaitEnd(parts);
        }
    }

    /// <summary>
    /// Begins to score <paramref name="pictures"/>, each for its prompt, in requests of at most as many as a request may have. Neither list may be
    /// changed until the task is done.
    /// </summary>
    /// <returns>A score for each picture; fails with <see cref="ModelException"/> as <see cref="Score"/> does.</returns>
    public async Task<double[]> Start(IReadOnlyList<string> prompts, IReadOnlyList<RgbImage> pictures, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(prompts);
        ArgumentNullException.ThrowIfNull(pictures);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation, _closed.Token);
        double[][] scores = await Task.WhenAll(
                Enumerable
                    .Range(0, (pictures.Count + _batch - 1) / _batch)
                    .Select(i =>
                        Task.Run(
                            () => Part([.. prompts.Skip(i * _batch).Take(_batch)], [.. pictures.Skip(i * _batch).Take(_batch)], stop.Token),
                            stop.Token
                        )
                    )
            )
            .ConfigureAwait(false);
        return [.. scores.SelectMany(part => part)];
    }

    /// <summary>Waits until all of what was begun has ended, well or not.</summary>
    internal static void AwaitEnd(IEnumerable<Task> begun) =>
        Task.WhenAll(begun).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing).GetAwaiter().GetResult();

    /// <summary>Closes connections; what is in flight fails.</summary>
    public void Dispose()
    {
        _closed.Cancel();
        _client.Dispose();
    }

    /// <summary>One request, sent until it is answered or has failed too often.</summary>
    private async Task<double[]> Part(string[] prompts, RgbImage[] pictures, CancellationToken cancellation)
    {
        byte[] request = RewardProtocol.Request(prompts, [.. pictures.Select(PngWriter.Encode)]);
        TimeSpan pause = FirstPause;
        for (int attempt = 0; ; attempt++)
        {
            string failure;
            await _slots.WaitAsync(cancellation).ConfigureAwait(false);
            try
            {
                return await Ask(request, prompts.Length, cancellation).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                failure = string.Create(CultureInfo.InvariantCulture, $"no whole answer within {_timeout.TotalSeconds} s");
            }
            catch (Exception error) when (error is HttpRequestException or IOException)
            {
                failure = RewardProtocol.Plain((error.InnerException ?? error).Message.TrimEnd('.'));
            }
            finally
            {
                _slots.Release();
            }

            cancellation.ThrowIfCancellationRequested();
            if (attempt == _retries)
            {
                throw Refuse(
                    prompts.Length,
                    $"{failure}{(attempt == 0 ? "" : $", {attempt + 1} times")}",
                    "start the server, or raise timeoutSeconds and retries of this reward"
                );
            }

            await Task.Delay(pause, cancellation).ConfigureAwait(false);
            pause = TimeSpan.FromTicks(Math.Min(LongestPause.Ticks, 2 * pause.Ticks));
        }
    }

    private async Task<double[]> Ask(byte[] request, int count, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(_timeout);
        using var message = new HttpRequestMessage(HttpMethod.Post, _url) { Content = new ByteArrayContent(request) };
        message.Content.Headers.ContentType = new MediaTypeHeaderValue(RewardProtocol.MediaType);
        using HttpResponseMessage response = await _client
            .SendAsync(message, HttpCompletionOption.ResponseHeadersRead, limit.Token)
            .ConfigureAwait(false);
        byte[] answer = await Body(response, RewardProtocol.MostAnswerBytes(count), count, limit.Token).ConfigureAwait(false);
        if (response.StatusCode != HttpStatusCode.OK)
        {
            string said = $"status {(int)response.StatusCode}{(RewardProtocol.ReadError(answer) is { } text ? $", {text}" : "")}";
            bool mayPass = (int)response.StatusCode >= 500 || response.StatusCode is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests;
            throw mayPass ? new HttpRequestException(said) : Refuse(count, said, "correct the url of this reward; redirects are not followed");
        }

        double[] scores = new double[count];
        try
        {
            RewardProtocol.ReadAnswer(answer, scores);
        }
        catch (ModelException error)
        {
            throw Refuse(count, error.Message, "correct the server");
        }

        return scores;
    }

    private async Task<byte[]> Body(HttpResponseMessage response, int most, int count, CancellationToken cancellation)
    {
        using Stream stream = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
        byte[] bytes = new byte[most + 1];
        int read = await stream.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellation).ConfigureAwait(false);
        return read <= most ? bytes[..read] : throw Refuse(count, $"an answer of more than {most} bytes", "correct the server");
    }

    private ModelException Refuse(int count, string got, string remedy) => new($"{Name} at {_url}: wanted {count} scores, got {got}; {remedy}");
}
