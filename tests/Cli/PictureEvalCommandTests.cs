using System.Globalization;
using System.Text.Json;
using CoGrpo.Model.Images;
using CoGrpo.Model.Schedule;
using CoGrpo.Rl;
using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.Prompts;
using CoGrpo.Rl.Rewards;
using CoGrpo.Runtime.Backends.Cpu;
using CoGrpo.Runtime.Sampling;
using CoGrpo.Tests.Model;

namespace CoGrpo.Tests.Cli;

/// <summary><c>eval</c> on a model folder in the published layout.</summary>
public sealed class PictureEvalCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public PictureEvalCommandTests()
    {
        using CpuBackend backend = new(1);
        PublishedFolder.Write(_folder.File("model"), backend);
        TinyRewards.WriteClip(_folder.File("clip"), backend);
        TinyRewards.WriteImageReward(_folder.File("ir"), backend);
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>The scores in the table are those of the pictures that sample draws.</summary>
    [Fact]
    public void Every_score_is_that_of_the_pictures_of_the_seed()
    {
        string[] prompts = ["a red fox", "two owls, and a lamp"];
        File.WriteAllText(
            _folder.File("test.json"),
            JsonSerializer.Serialize(
                prompts.Select(
                    (prompt, id) =>
                        new
                        {
                            id,
                            prompt,
                            generations = Array.Empty<string>(),
                        }
                )
            )
        );
        CliRun run = Ask(
            "out",
            "--prompts-file",
            _folder.File("test.json"),
            "--rewards",
            "imageReward=" + _folder.File("ir") + ",hpsv2:v2.1=" + _folder.File("clip"),
            "clipScore=" + _folder.File("clip"),
            "--set",
            "train.evaluation.steps=[2,3]"
        );
        Assert.True(run.Code == 0, run.Error);
        string[][] csv = Csv("out");
        Assert.Equal(["schedule", "score", "steps", "pictures", "mean", "error"], csv[0]);
        Assert.Equal(
            ["ImageReward 2", "HPS v2.1 x100 2", "CLIP score 2", "ImageReward 3", "HPS v2.1 x100 3", "CLIP score 3"],
            csv[1..].Select(row => $"{row[1]} {row[2]}")
        );
        Assert.Equal(
            0,
            CliRun
                .Of([
                    "sample",
                    .. prompts,
                    "-n",
                    "2",
                    "-m",
                    _folder.File("model"),
                    "-o",
                    _folder.File("s"),
                    "--seed",
                    "7",
                    "--threads",
                    "1",
                    "--steps",
                    "3",
                    .. Size,
                ])
                .Code
        );
        RgbImage[] pictures = [.. Directory.GetFiles(_folder.File("s/samples")).Order(StringComparer.Ordinal).Select(PictureFile.Read)];
        double[] image = Scores(new() { Name = RewardName.ImageReward, Weights = _folder.File("ir") }, prompts, pictures),
            clip = Scores(new() { Name = RewardName.ClipScore, Weights = _folder.File("clip") }, prompts, pictures);
        Assert.Equal(image.Average(), Number(csv[4][4]), 2e-6);
        Assert.Equal(clip.Average(), Number(csv[6][4]), 2e-6);
        Assert.Equal("4", csv[4][3]);

        // Of two prompts with means a and b the standard error is |a - b| / 2.
        Assert.Equal(Math.Abs(image[0] + image[1] - image[2] - image[3]) / 4, Number(csv[4][5]), 2e-6);
        Assert.NotEqual(csv[1][4], csv[4][4]);
        Assert.Contains(
            "Pictures for all 2 prompts of test.json, 2 per prompt, seed 7",
            File.ReadAllText(_folder.File("out/eval.md")),
            StringComparison.Ordinal
        );
        Assert.True(PngReader.Read(_folder.File("out/eval-grid.png")).Width >= 64);
    }

    [Fact]
    public void A_learned_schedule_stands_beside_the_hand_made_one_and_styles_have_columns()
    {
        using (CpuBackend backend = new(1))
        {
            using var policy = new SchedulePolicy(SchedulePolicyConfig.ForWidth(64), backend);
            backend.Upload<float>([0.4f, -0.3f, 0.2f, 0.5f], policy.Parameters.Find("linear3.bias")!.Value);
            SchedulePolicyFolder.Save(
                _folder.File("model/schedule_policy"),
                policy,
                new SchedulePolicySettings(4, [true, true, true, true], new ScheduleParametrizationSettings { HandMade = new() { Guidance = 1.5 } })
            );
        }

        // The policy pools to 8 x 8, which is the grid of features of 64 x 64 pixels.
        string folder = HpdFolder.Write(_folder.File("hpd"), 3);
        CliRun run = Ask(
            "out",
            "--prompts-file",
            folder,
            "--limit",
            "2",
            "--schedule",
            _folder.File("model"),
            "--rewards",
            "hpsv2=" + _folder.File("clip"),
            "--set",
            "train.evaluation.samples=1",
            "--set",
            "sampling.width=64",
            "--set",
            "sampling.height=64"
        );
        Assert.True(run.Code == 0, run.Error);
        string[][] csv = Csv("out");
        Assert.Equal(["schedule", "score", "steps", "pictures", "Animation", "Concept-art", "Painting", "Photo", "Average", "error"], csv[0]);
        Assert.Equal(["hand-made", "learned, adaptive"], csv[1..].Select(row => row[0]));
        foreach (string[] row in csv[1..])
        {
            Assert.Equal("8", row[3]);
            Assert.Equal(row[4..8].Average(Number), Number(row[8]), 2e-6);
            Assert.Equal(4, row[4..8].Distinct().Count());
        }

        Assert.NotEqual(csv[1][8], csv[2][8]);
    }

    [Fact]
    public void Held_out_prompts_of_the_configuration_are_scored_without_a_file()
    {
        File.WriteAllLines(_folder.File("train.txt"), ["one", "two"]);
        File.WriteAllLines(_folder.File("held.txt"), ["three", "four", "five"]);
        File.WriteAllText(
            _folder.File("run.json"),
            JsonSerializer.Serialize(
                new
                {
                    preset = "paper",
                    data = new { promptFiles = new[] { "train.txt" }, heldOutFiles = new[] { "held.txt" } },
                    train = new
                    {
                        rewards = new[] { new { name = "imageReward", weights = "ir" } },
                        evaluation = new { promptsPerTask = 2, metrics = new[] { new { name = "clipScore", weights = "clip" } } },
                    },
                }
            )
        );
        CliRun run = Ask("out", "--config", _folder.File("run.json"));
        Assert.True(run.Code == 0, run.Error);
        Assert.Equal(["ImageReward", "CLIP score"], Csv("out")[1..].Select(row => row[1]));
        Assert.Contains("held-out prompts of train.txt, held.txt, 2 of 3", File.ReadAllText(_folder.File("out/eval.md")), StringComparison.Ordinal);
        run = Ask("out", "--config", _folder.File("run.json"), "--rewards", "clipScore");
        Assert.True(run.Code == 0, run.Error);
        Assert.Equal(["CLIP score"], Csv("out")[1..].Select(row => row[1]));
    }

    [Theory]
    [InlineData(2, "no prompts to score")]
    [InlineData(1, "none.txt: wanted a file of prompts", "--prompts-file", "none.txt")]
    [InlineData(1, "anime.json", "--prompts-file", ".")]
    [InlineData(2, "--limit: expected --prompts-file", "--limit", "3")]
    [InlineData(2, "--transfer: expected EmojiScenes", "--prompts-file", "none.txt", "--transfer", "table")]
    [InlineData(2, "--grid: expected EmojiScenes", "--prompts-file", "none.txt", "--grid")]
    [InlineData(2, "--rewards: expected NAME", "--prompts-file", "PROMPTS", "--rewards", "beauty")]
    [InlineData(2, "--rewards: expected mps=WEIGHTS", "--prompts-file", "PROMPTS", "--rewards", "mps")]
    [InlineData(2, "--rewards: expected remote=URL", "--prompts-file", "PROMPTS", "--rewards", "remote=file")]
    [InlineData(1, "hpsv2: wanted weights", "--prompts-file", "PROMPTS", "--rewards", "hpsv2")]
    [InlineData(1, "got ImageReward twice", "--prompts-file", "PROMPTS", "--rewards", "imageReward=a", "imageReward=b")]
    public void Wrong_requests_are_one_line_and_leave_nothing(int code, string said, params string[] options)
    {
        File.WriteAllText(_folder.File("p.txt"), "an owl\n");
        CliRun run = Ask("out", [.. options.Select(word => word == "PROMPTS" ? _folder.File("p.txt") : word)]);
        Assert.Equal(code, run.Code);
        Assert.Contains(said, run.Error, StringComparison.Ordinal);
        Assert.Single(run.Error.TrimEnd().Split('\n'), line => line.StartsWith("error:", StringComparison.Ordinal));
        Assert.False(Directory.Exists(_folder.File("out")));
    }

    [Fact]
    public void Options_of_published_models_are_refused_for_EmojiScenes()
    {
        CliRun run = CliRun.Of("eval", "--prompts-file", "x.txt");
        Assert.Equal(2, run.Code);
        Assert.Contains("--prompts-file: expected a model folder in the published layout", run.Error, StringComparison.Ordinal);
    }

    private static string[] Size => ["--set", "sampling.width=32", "--set", "sampling.height=32"];

    private CliRun Ask(string output, params string[] args) =>
        CliRun.Of([
            "eval",
            "-m",
            _folder.File("model"),
            "-o",
            _folder.File(output),
            "--threads",
            "1",
            "--set",
            "train.evaluation.steps=[2]",
            "--set",
            "train.evaluation.samples=2",
            "--set",
            "train.evaluation.seed=7",
            .. Size,
            .. args,
        ]);

    private string[][] Csv(string output) =>
        [
            .. File.ReadAllLines(_folder.File(output + "/eval.csv"))
                .Select(line =>
                    line.Replace("\"learned, adaptive\"", "learned; adaptive", StringComparison.Ordinal)
                        .Split(',')
                        .Select(cell => cell.Replace(';', ','))
                        .ToArray()
                ),
        ];

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    private static double[] Scores(RewardConfiguration reward, string[] prompts, RgbImage[] pictures)
    {
        using CpuBackend backend = new(1);
        using var network = (NetworkReward)RewardRegistry.Create(reward, backend);
        double[] scores = new double[pictures.Length];
        network.Score(
            new RewardBatch([.. Enumerable.Range(0, pictures.Length).Select(i => (IPrompt)new TextPrompt(prompts[i / 2]))], pictures),
            scores
        );
        return scores;
    }
}
