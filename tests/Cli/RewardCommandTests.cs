using System.Globalization;
using CoGrpo.Model.Images;

namespace CoGrpo.Tests.Cli;

/// <summary>Rewards from the command line: synthetic weights, scores, a server.</summary>
public sealed class RewardCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public RewardCommandTests()
    {
        foreach (int i in (int[])[1, 2])
        {
            var picture = new RgbImage(40 * i, 48);
            new Random(i).NextBytes(picture.Pixels);
            PngWriter.Write(_folder.File($"{i}.png"), picture);
        }
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Scores_are_a_table_that_a_server_gives_as_well()
    {
        CliRun made = CliRun.Of("convert", "synthesize-reward", "hpsv2", _folder.File("hps"), "--size", "tiny");
        Assert.True(made.Code == 0, made.Error);
        Assert.Equal(
            ["HPS_v2_compressed.pt", "config.json"],
            Directory.GetFiles(_folder.File("hps")).Select(Path.GetFileName).Order(StringComparer.Ordinal)
        );
        string[] network = ["--reward", "hpsv2", "--weights", _folder.File("hps")],
            asked = ["--prompt", "a fox", "--prompt", "two owls", _folder.File("1.png"), _folder.File("2.png")];
        CliRun run = CliRun.Of(["score", .. network, .. asked]);
        Assert.True(run.Code == 0, run.Error);
        string[] lines = run.Out.TrimEnd().Split('\n');
        Assert.StartsWith("prompt    picture", lines[0], StringComparison.Ordinal);
        Assert.EndsWith("hpsv2", lines[0], StringComparison.Ordinal);
        double[] scores = Scores(run);
        Assert.Equal(4, scores.Distinct().Count());
        Assert.NotEqual(scores, Scores(CliRun.Of(["score", .. network, "--no-antialias", .. asked])));
        Assert.Contains("hpsv2.1", CliRun.Of(["score", .. network, "--hps-version", "v2.1", .. asked]).Out, StringComparison.Ordinal);

        using var stop = new CancellationTokenSource();
        int port = Rl.Rewards.ServedReward.FreePort();
        string at = port.ToString(CultureInfo.InvariantCulture);
        Task<CliRun> serving = Task.Run(() => CliRun.With(_ => [], ["reward-server", .. network, "--port", at], stop.Token));
        CliRun remote = CliRun.Of(["score", "--reward", "remote", "--url", $"http://127.0.0.1:{at}/", "--batch", "3", .. asked]);
        await stop.CancelAsync();
        CliRun served = await serving;
        Assert.True(remote.Code == 0, remote.Error + served.Error);
        Assert.Equal(scores, Scores(remote));
        Assert.Equal(130, served.Code);
        Assert.Contains($"hpsv2 at http://127.0.0.1:{at}/ until Ctrl-C", served.Out, StringComparison.Ordinal);
        Assert.Contains("200 3 pictures", served.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_prompt_that_is_cut_is_told()
    {
        Assert.Equal(
            0,
            CliRun.Of("convert", "synthesize-reward", "imageReward", _folder.File("ir"), "--size", "tiny", "--format", "safetensors").Code
        );
        CliRun run = CliRun.Of(
            "score",
            "--reward",
            "imageReward",
            "--weights",
            _folder.File("ir"),
            "--prompt",
            string.Concat(Enumerable.Repeat("a fox ", 40)),
            "--prompt",
            "a fox",
            _folder.File("1.png")
        );
        Assert.True(run.Code == 0, run.Error);
        Assert.Equal("warning: 1 of 2 prompts are longer than imageReward reads; their ends have no part in the score", run.Error.Trim());
    }

    [Theory]
    [InlineData(2, "--weights: expected", "score", "--reward", "hpsv2", "--prompt", "a", "1.png")]
    [InlineData(2, "--url: expected", "score", "--reward", "remote", "--prompt", "a", "1.png")]
    [InlineData(2, "--url: expected", "score", "--reward", "remote", "--url", "ftp://x/", "--prompt", "a", "1.png")]
    [InlineData(2, "adherence", "score", "--reward", "adherence", "--prompt", "a", "1.png")]
    [InlineData(2, "--batch: expected", "score", "--reward", "hpsv2", "--weights", "x", "--batch", "0", "--prompt", "a", "1.png")]
    [InlineData(2, "--port: expected", "reward-server", "--reward", "hpsv2", "--weights", "x", "--port", "70000")]
    [InlineData(2, "--bind: expected", "reward-server", "--reward", "hpsv2", "--weights", "x", "--bind", "here")]
    [InlineData(1, "HPS: wanted its weights at", "score", "--reward", "hpsv2", "--weights", "nowhere.pt", "--prompt", "a", "1.png")]
    [InlineData(1, "nowhere.png", "score", "--reward", "hpsv2", "--weights", "x", "--prompt", "a", "nowhere.png")]
    public void What_cannot_be_done_is_one_line(int code, string message, params string[] arguments)
    {
        CliRun run = CliRun.Of([.. arguments.Select(argument => argument == "1.png" ? _folder.File(argument) : argument)]);
        Assert.Equal((code, ""), (run.Code, run.Out));
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
        Assert.Single(run.Error.TrimEnd().Split('\n'));
    }

    private static double[] Scores(CliRun run)
    {
        Assert.True(run.Code == 0, run.Error);
        return [.. run.Out.TrimEnd().Split('\n').Skip(1).Select(line => double.Parse(line.Split(' ')[^1], CultureInfo.InvariantCulture))];
    }
}
