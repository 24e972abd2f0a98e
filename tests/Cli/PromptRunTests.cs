using System.Text.Json;
using CoGrpo.Model.Images;

namespace CoGrpo.Tests.Cli;

/// <summary>Training of a published model on prompts from files with reward networks: the shipped configuration, small.</summary>
public sealed class PromptRunTests : IDisposable
{
    private readonly PromptRun _run = new();

    public void Dispose() => _run.Dispose();

    [Fact]
    public void Two_cycles_leave_a_published_folder_and_a_report_that_names_the_rewards()
    {
        string output = _run.At("run");
        CliRun run = CliRun.Of([.. _run.Arguments, "--output", output]);
        Assert.True(run.Code == 0, run.Error);
        List<Dictionary<string, double>> iterations = [.. Lines(output).Where(line => line.ContainsKey("time/update"))];
        Assert.Equal([1, 2, 3, 4], iterations.Select(line => line["iteration"]));
        Assert.Equal([true, false, true, false], iterations.Select(line => line.ContainsKey("model/loss")));
        Assert.All(
            iterations,
            line =>
                Assert.True(
                    line["time/reward"] > 0
                        && line["reward/imageReward/group_std"] > 0
                        && line["reward/hpsv2/group_std"] > 0
                        && line["advantage/mean_abs"] > 0
                        && line["heldout/diversity"] > 0
                )
        );
        Assert.All(iterations, line => Assert.InRange(line["reward/hpsv2/mean"], -1, 1));
        Assert.DoesNotContain(iterations, line => line.ContainsKey("heldout/judge") || line.ContainsKey("reward/clipScore/mean"));

        // Before training and after half of it.
        Assert.Equal([0, 2], Lines(output).Where(line => line.ContainsKey("eval/clipScore")).Select(line => line["iteration"]));
        string report = File.ReadAllText(Path.Combine(output, "report.md"));
        foreach (
            string said in (string[])
                [
                    "imageReward",
                    "hpsv2",
                    "Never trained on: clipScore",
                    "9 prompts of prompts.txt, more.json",
                    "1 of 1, 2 samples",
                    "trained, T = 2",
                    "rewards ",
                ]
        )
        {
            Assert.Contains(said, report, StringComparison.Ordinal);
        }

        Assert.DoesNotContain("judge", report, StringComparison.Ordinal);
        Assert.Equal(
            ["after-2-steps.png", "after.png", "before.png", "iteration-0002.png"],
            Directory.GetFiles(Path.Combine(output, "samples")).Select(Path.GetFileName).Order()
        );
        CliRun sample = CliRun.Of(
            "sample",
            "a red fox",
            "--checkpoint",
            Path.Combine(output, "model"),
            "--width",
            "32",
            "--height",
            "32",
            "--steps",
            "2",
            "--output",
            _run.At("pictures")
        );
        Assert.True(sample.Code == 0, sample.Error);
        Assert.Equal(32, PngReader.Read(sample.Out.Trim()).Width);
        Assert.False(
            File.ReadAllBytes(Path.Combine(output, "model", Transformer))
                .AsSpan()
                .SequenceEqual(File.ReadAllBytes(_run.At($"checkpoint/{Transformer}")))
        );
    }

    [Fact]
    public void A_killed_run_resumes_to_the_same_bits() => RunProcess.KilledAndResumed(_run.At(""), _run.Arguments, linesBeforeKill: 3);

    /// <summary>Ablations are of any configuration: the scores are those of its rewards and metrics.</summary>
    [Fact]
    public void Ablations_of_a_published_folder_are_scored_by_its_rewards()
    {
        string output = _run.At("ablation");
        IEnumerable<string> options = _run.Arguments.Skip(1).Where(word => word is not ("--seed" or "5"));
        CliRun run = CliRun.Of(["ablate", .. options, "--tables", "5d", "--seeds", "0", "--output", output]);
        Assert.True(run.Code == 0, run.Error);
        string[] rows = [.. File.ReadLines(Path.Combine(output, "tables.md")).Where(line => line.StartsWith('|'))];
        Assert.StartsWith("|  | iterations | forward equivalents | imageReward | hpsv2 | clipScore |", rows[0], StringComparison.Ordinal);
        Assert.StartsWith("| base, hand-made schedule | 0 | 0 | ", rows[2], StringComparison.Ordinal);
        Assert.StartsWith("| joint | ", rows[3], StringComparison.Ordinal);
        Assert.StartsWith("| Co-GRPO | 4 | ", rows[4], StringComparison.Ordinal);
        Assert.Equal(3, rows.Skip(2).Select(row => string.Join('|', row.Split('|')[4..])).Distinct().Count());
        Assert.True(File.Exists(Path.Combine(output, "co-grpo-seed-0", "model", Transformer)));
    }

    [Theory]
    [InlineData("sampling.width=32", "sampling.width and height: wanted multiples of 64")]
    [InlineData("schedule.policyWidth=128", "schedule.policyWidth: wanted the width of the model, 64, got 128")]
    [InlineData("sampling.height=60", "picture size: wanted width and height that are multiples of 8")]
    [InlineData("data.promptFiles=[\"nowhere.txt\"]", "nowhere.txt: wanted a file of prompts")]
    [InlineData("train.rewards=[{\"name\":\"hpsv2\"}]", "hpsv2: wanted weights")]
    [InlineData("train.rewards=[{\"name\":\"imageReward\",\"weights\":\"nowhere.pt\"}]", "ImageReward: wanted its weights at")]
    public void What_does_not_fit_is_one_line_before_anything_is_sampled(string setting, string message)
    {
        CliRun run = CliRun.Of([.. _run.Arguments, "--set", setting, "--output", _run.At("refused")]);
        Assert.Equal(1, run.Code);
        Assert.StartsWith("error: ", run.Error, StringComparison.Ordinal);
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
        Assert.Single(run.Error.Trim().Split('\n'));
        Assert.False(Directory.Exists(_run.At("refused")));
    }

    private const string Transformer = "transformer/diffusion_pytorch_model.safetensors";

    private static IEnumerable<Dictionary<string, double>> Lines(string folder) =>
        File.ReadLines(Path.Combine(folder, "metrics.jsonl"))
            .Select(line =>
                JsonSerializer
                    .Deserialize<Dictionary<string, JsonElement>>(line)!
                    .Where(entry => entry.Value.ValueKind == JsonValueKind.Number)
                    .ToDictionary(entry => entry.Key, entry => entry.Value.GetDouble())
            );
}
