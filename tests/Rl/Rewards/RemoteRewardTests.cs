using System.Text;
using CoGrpo.Model;
using CoGrpo.Model.Images;
using CoGrpo.Rl;
using CoGrpo.Rl.Prompts;
using CoGrpo.Rl.Rewards;

namespace CoGrpo.Tests.Rl.Rewards;

/// <summary>A reward over HTTP beside the same reward at home, and what it makes of servers that hang, refuse and lie.</summary>
public sealed class RemoteRewardTests
{
    private const string Good = """{"scores":[1.5]}""";

    private static readonly string[] Prompts = ["a fox", "two \"owls\" – ünïcödé \u0001", "", "四つの時計"];

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(64)]
    public void A_served_reward_gives_the_bits_of_the_reward(int batch)
    {
        var reward = new BrightnessReward { Offset = 1.0 / 3 };
        using ServedReward served = new(reward);
        using RemoteReward remote = served.Client(batch);
        double[] expected = new double[11], actual = new double[11];
        reward.Score(Batch(11), expected);
        remote.Score(Batch(11), actual);
        Assert.Equal(expected, actual);
        Assert.Equal((11 + batch - 1) / batch, served.Log.Count);
        Assert.All(served.Log, line => Assert.StartsWith("200 ", line, StringComparison.Ordinal));
        Assert.Equal(11, expected.Distinct().Count());
    }

    [Fact]
    public async Task Parts_of_a_batch_may_be_sent_before_the_others_exist()
    {
        var reward = new BrightnessReward();
        using ServedReward served = new(reward);
        using RemoteReward remote = served.Client(2);
        RgbImage[] pictures = [.. Enumerable.Range(0, 5).Select(Picture)];
        Task<double[]> first = remote.Start(["a", "a", "a"], pictures[..3], default), second = remote.Start(["b", "b"], pictures[3..], default);
        double[] expected = new double[5];
        reward.Score(new RewardBatch([.. "aaabb".Select(c => new TextPrompt($"{c}"))], pictures), expected);
        Assert.Equal(expected[3..], await second);
        Assert.Equal(expected[..3], await first);
    }

    public static TheoryData<string, string, string> Lies =>
        new()
        {
            { "not a number", RawServer.Http("""{"scores":[NaN]}"""), "got an answer that is no JSON object" },
            { "beyond every number", RawServer.Http("""{"scores":[1e999]}"""), "got 1e999 as score 0, which is no finite number" },
            { "a text", RawServer.Http("""{"scores":["1.5"]}"""), "got \"1.5\" as score 0" },
            { "null", RawServer.Http("""{"scores":[null]}"""), "got null as score 0" },
            { "a list", RawServer.Http("""{"scores":[[1]]}"""), "got [1] as score 0" },
            { "too many", RawServer.Http("""{"scores":[1,2]}"""), "got 2 scores for 1 pictures" },
            { "too few", RawServer.Http("""{"scores":[]}"""), "got 0 scores for 1 pictures" },
            { "no scores", RawServer.Http("""{"values":[1]}"""), "got an answer without a list of scores, {\"values\":[1]}" },
            { "scores of another kind", RawServer.Http("""{"scores":1}"""), "without a list of scores" },
            { "a list outermost", RawServer.Http("[1.5]"), "no JSON object" },
            { "a page", RawServer.Http("<html>hello</html>"), "no JSON object" },
            { "a pickle", RawServer.Http("cos\nsystem\n(S'true'\ntR."), "no JSON object" },
            { "nothing", RawServer.Http(""), "no JSON object" },
            { "two values", RawServer.Http(Good + Good), "no JSON object" },
            { "a cut answer that says it is whole", RawServer.Http("""{"scores":[1."""), "no JSON object" },
            { "nesting", RawServer.Http(new string('[', 4000)), "no JSON object" },
            { "control characters", RawServer.Http("{\"x\":\"\\u001b[31m\"}"), "without a list of scores, {\"x\":\"\\u001b[31m\"}" },
            { "a long answer", RawServer.Http(new string(' ', 20000) + Good), "got an answer of more than 8256 bytes" },
            { "a longer length than body", "HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n" + Good, "ended prematurely" },
            { "a shorter length than body", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" + Good, "no JSON object" },
            { "a huge length", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\n" + Good, "wanted 1 scores, got" },
            { "compression", RawServer.Http(Good, headers: "Content-Encoding: gzip\r\nX-Nothing: 1\r\n")[..^1], "wanted 1 scores, got" },
            {
                "a redirect",
                RawServer.Http("", "302 Found", "Location: http://127.0.0.1:1/\r\n"),
                "got status 302; correct the url of this reward; redirects are not followed"
            },
            { "an unknown place", RawServer.Http("""{"error":"no\nsuch place"}""", "404 Not Found"), "got status 404, no?such place" },
            { "no error at all but no answer either", RawServer.Http("", "204 No Content"), "got status 204" },
            { "a failure", RawServer.Http("""{"error":"out of memory"}""", "500 Oops"), "got status 500, out of memory; start the server" },
            { "no HTTP", "220 smtp.example.org ESMTP\r\n", "wanted 1 scores, got" },
            { "hanging up", "", "wanted 1 scores, got" },
            {
                "headers without end",
                "HTTP/1.1 200 OK\r\n" + string.Concat(Enumerable.Repeat("X-A: " + new string('a', 1000) + "\r\n", 200)),
                "wanted 1 scores, got"
            },
        };

    [Theory]
    [MemberData(nameof(Lies))]
    public void Lies_are_one_clear_line(string what, string answer, string message)
    {
        using RawServer server = new(answer);
        string said = Refused(server, retries: 0);
        Assert.StartsWith($"remote at {server.Url}: wanted 1 scores, got ", said, StringComparison.Ordinal);
        Assert.True(said.Contains(message, StringComparison.Ordinal), $"{what}: {said}");
        Assert.DoesNotContain(said, char.IsControl);
        Assert.True(said.Length < 500, said);
        Assert.Equal(1, server.Requests);
    }

    [Fact]
    public void A_server_that_hangs_is_given_up()
    {
        using RawServer silent = new((_, _, stop) => Task.Delay(Timeout.Infinite, stop));
        Assert.Contains(
            "got no whole answer within 0.2 s, 2 times; start the server, or raise timeoutSeconds",
            Refused(silent, retries: 1, timeout: 0.2),
            StringComparison.Ordinal
        );
        Assert.Equal(2, silent.Requests);
        using RawServer slow = new(async (stream, _, stop) =>
        {
            foreach (char c in RawServer.Http(Good))
            {
                await stream.WriteAsync(new[] { (byte)c }, stop);
                await Task.Delay(50, stop);
            }
        });
        Assert.Contains("got no whole answer within 0.2 s", Refused(slow, retries: 0, timeout: 0.2), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\n\r\n", "    ")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "4\r\n    \r\n")]
    public void A_body_without_end_is_cut(string start, string piece)
    {
        using RawServer server = new(async (stream, _, stop) =>
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes(start), stop);
            byte[] more = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(piece, 100)));
            while (true)
            {
                await stream.WriteAsync(more, stop);
            }
        });
        Assert.Contains("got an answer of more than 8256 bytes", Refused(server, retries: 3), StringComparison.Ordinal);
    }

    [Fact]
    public void Nobody_there_is_said()
    {
        using var remote = new RemoteReward("remote", new Uri($"http://127.0.0.1:{ServedReward.FreePort()}/"), 4, TimeSpan.FromSeconds(20), 1)
        {
            FirstPause = TimeSpan.FromMilliseconds(1),
        };
        string message = Assert.Throws<ModelException>(() => remote.Score(Batch(9), new double[9])).Message;
        Assert.Contains("refused, 2 times; start the server", message, StringComparison.Ordinal);
        Assert.Contains("wanted 4 scores", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_failure_that_passes_costs_a_retry()
    {
        using RawServer server = new((stream, request, stop) => stream.WriteAsync(Encoding.ASCII.GetBytes(request switch
        {
            1 => RawServer.Http("", "503 Busy"),
            2 => "HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n",
            _ => RawServer.Http(Good),
        }), stop).AsTask());
        using var remote = new RemoteReward("remote", server.Url, 1, TimeSpan.FromSeconds(20), 2) { FirstPause = TimeSpan.FromMilliseconds(1) };
        double[] scores = new double[1];
        remote.Score(Batch(1), scores);
        Assert.Equal(1.5, scores[0]);
        Assert.Equal(3, server.Requests);
    }

    private static string Refused(RawServer server, int retries, double timeout = 20)
    {
        using var remote = new RemoteReward("remote", server.Url, 8, TimeSpan.FromSeconds(timeout), retries)
        {
            FirstPause = TimeSpan.FromMilliseconds(1),
        };
        return Assert.Throws<ModelException>(() => remote.Score(Batch(1), new double[1])).Message;
    }

    private static RewardBatch Batch(int count) =>
        new(
            (IPrompt[])[.. Enumerable.Range(0, count).Select(i => new TextPrompt(Prompts[i % Prompts.Length]))],
            [.. Enumerable.Range(0, count).Select(Picture)]
        );

    private static RgbImage Picture(int number)
    {
        var picture = new RgbImage(9 + number, 7);
        new Random(number).NextBytes(picture.Pixels);
        return picture;
    }
}
