using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using CoGrpo.Model;
using CoGrpo.Model.Images;
using CoGrpo.Rl.Rewards;

namespace CoGrpo.Tests.Rl.Rewards;

/// <summary>What the reference server makes of clients that send something else than a request.</summary>
public sealed class RewardServerTests : IDisposable
{
    private static readonly string Picture = Convert.ToBase64String(PngWriter.Encode(new RgbImage(4, 4)));

    private readonly HttpClient _client = new();
    private readonly ServedReward _served = new(
        new RewardServer(new BrightnessReward(), IPAddress.Loopback, 0)
        {
            MostBytes = 1 << 16,
            MostPixels = 300,
            WaitLimit = TimeSpan.FromSeconds(0.5),
        }
    );

    public void Dispose()
    {
        _served.Dispose();
        _client.Dispose();
    }

    public static TheoryData<string, string> Requests =>
        new()
        {
            { "", "wanted a JSON object with version, prompts and images" },
            { "[]", "wanted a JSON object with version, prompts and images" },
            { "{", "wanted a JSON object with version, prompts and images" },
            { $$"""{"prompts":["a"],"images":["{{Picture}}"]}""", "wanted version 1, got nothing" },
            { $$"""{"version":2,"prompts":["a"],"images":["{{Picture}}"]}""", "wanted version 1, got 2" },
            { """{"version":1,"prompts":[],"images":[]}""", "one image at least, got 0 prompts and 0 images" },
            { $$"""{"version":1,"prompts":["a","b"],"images":["{{Picture}}"]}""", "got 2 prompts and 1 images" },
            { """{"version":1,"prompts":["a"]}""", "under images, got none" },
            { """{"version":1,"prompts":["a"],"images":"x"}""", "under images, got none" },
            { """{"version":1,"prompts":["a"],"images":["%%%"]}""", "wanted PNG files in base64 as images, got something else in place 0" },
            { """{"version":1,"prompts":["a"],"images":["AAAA"]}""", "image 0" },
            { $$"""{"version":1,"prompts":[5],"images":["{{Picture}}"]}""", "as prompts, got something else in place 0" },
            { $$"""{"version":1,"prompts":["\ud800"],"images":["{{Picture}}"]}""", "as prompts, got something else in place 0" },
            { $$"""{"version":1,"prompts":["{{new string('a', 20000)}}"],"images":["{{Picture}}"]}""", "at most 16384 characters" },
            {
                $$"""{"version":1,"prompts":["a"],"images":["{{Convert.ToBase64String(PngWriter.Encode(new RgbImage(20, 20)))}}"]}""",
                "at most 300 pixels together, got 400"
            },
            { $$"""{"version":1,"prompts":["a"],"images":["{{Convert.ToBase64String(PngWriter.Encode(new RgbImage(4, 4))[..50])}}"]}""", "image 0" },
            {
                "{\"version\":1,\"prompts\":[" + string.Join(',', Enumerable.Repeat("\"a\"", 1025)) + "],\"images\":[]}",
                "at most 1024 under prompts, got 1025"
            },
        };

    [Theory]
    [MemberData(nameof(Requests))]
    public async Task What_is_no_request_is_refused_as_JSON_and_the_next_one_is_answered(string request, string message)
    {
        (HttpStatusCode status, string error) = await Post(new StringContent(request));
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains(message, error, StringComparison.Ordinal);
        (status, string answer) = await Post(new StringContent($$"""{"version":1,"prompts":["0123456789"],"images":["{{Picture}}"]}"""));
        Assert.Equal((HttpStatusCode.OK, "1"), (status, answer));
    }

    [Fact]
    public async Task Other_methods_large_bodies_and_slow_ones_are_refused()
    {
        using HttpResponseMessage get = await _client.GetAsync(_served.Url);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, get.StatusCode);
        Assert.Contains("error", await get.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 413", await Raw("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n"), StringComparison.Ordinal);
        foreach (
            (string request, int status) in new[]
            {
                ("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", 411),
                ("POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
                ("POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}", 400),
                ("GARBAGE\r\n\r\n", 400),
                ("\u0016\u0003\u0001 TLS hello\r\n\r\n", 400),
                ("POST / HTTP/1.1\r\nX: " + new string('a', 17000), 431),
                ("DELETE / HTTP/1.1\r\n\r\n", 405),
                ("POST / HT", 408),
                ("POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n{}", 100),
            }
        )
        {
            Assert.StartsWith($"HTTP/1.1 {status} ", await Raw(request), StringComparison.Ordinal);
        }

        Assert.StartsWith("HTTP/1.1 408", await Raw("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await Post(new StringContent($$"""{"version":1,"prompts":["a"],"images":["{{Picture}}"]}"""))).Status);
    }

    [Fact]
    public void A_reward_that_fails_is_told_to_the_client()
    {
        using ServedReward served = new(new BrightnessReward { Offset = double.NaN });
        using RemoteReward remote = served.Client();
        Assert.Contains(
            "got status 500",
            Assert
                .Throws<ModelException>(() =>
                    remote.Score(new CoGrpo.Rl.RewardBatch([new CoGrpo.Rl.Prompts.TextPrompt("a")], [new RgbImage(2, 2)]), new double[1])
                )
                .Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_port_in_use_is_one_line()
    {
        string message = Assert.Throws<ModelException>(() => new RewardServer(new BrightnessReward(), IPAddress.Loopback, _served.Url.Port)).Message;
        Assert.StartsWith($"127.0.0.1:{_served.Url.Port}: wanted an address to listen at", message, StringComparison.Ordinal);
    }

    private async Task<(HttpStatusCode Status, string Said)> Post(HttpContent content)
    {
        using HttpResponseMessage response = await _client.PostAsync(_served.Url, content);
        using JsonDocument json = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        return (
            response.StatusCode,
            json.RootElement.TryGetProperty("error", out JsonElement error)
                ? error.GetString()!
                : string.Join(
                    ' ',
                    json.RootElement.GetProperty("scores").EnumerateArray().Select(score => score.GetDouble().ToString(CultureInfo.InvariantCulture))
                )
        );
    }

    private async Task<string> Raw(string request)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, _served.Url.Port);
        NetworkStream stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(request));
        byte[] buffer = new byte[64];
        int read = await stream.ReadAtLeastAsync(buffer, 12, throwOnEndOfStream: false);
        return Encoding.ASCII.GetString(buffer, 0, read);
    }
}
