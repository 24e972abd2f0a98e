using System.Text.RegularExpressions;
using CoGrpo.Tests.Cuda;

namespace CoGrpo.Tests.Cli;

/// <summary>The plan command as a user meets it.</summary>
public sealed class PlanCommandTests
{
    private static readonly string[] Tiny =
    [
        "plan",
        "--set",
        "train.model.batch=12",
        "--set",
        "train.schedule.batch=16",
        "--set",
        "sampling.microBatch=6",
        "--set",
        "train.cycles=[{\"model\":3,\"schedule\":2}]",
    ];

    [Fact]
    public void A_plan_shows_parameters_memory_work_time_and_switches()
    {
        CliRun run = CliRun.Of([.. Tiny, "--memory", "2"]);
        Assert.Equal(0, run.Code);
        string[] lines = run.Out.Split('\n');
        foreach (
            string start in (string[])
                [
                    "network ",
                    "transformer ",
                    "text encoder ",
                    "memory ",
                    "parameters ",
                    "gradients ",
                    "optimizer ",
                    "activations ",
                    "trajectories ",
                    "text model ",
                    "workspace ",
                    "peak ",
                    "rollout ",
                    "update ",
                    "forward, matrix products ",
                    "forward, attention ",
                    "backward, other ",
                    "A100 40 GB ",
                    "A100 80 GB ",
                    "H100 80 GB ",
                    "RTX 4090 ",
                    "train.model.recomputeBlocks=true ",
                    "fits 2 GB: ",
                ]
        )
        {
            Assert.Single(lines, line => line.StartsWith(start, StringComparison.Ordinal));
        }

        // Among networks and among memory.
        Assert.Equal(2, lines.Count(line => line.StartsWith("schedule policy ", StringComparison.Ordinal)));
        Assert.Matches(@"transformer +[\d,]+ +[\d,]+", lines.First(line => line.StartsWith("transformer", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_plan_for_the_cpu_has_no_times_and_no_verdict_unless_asked()
    {
        CliRun run = CliRun.Of([.. Tiny, "--device", "cpu"]);
        Assert.Equal(0, run.Code);
        Assert.DoesNotContain("A100", run.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("fit", run.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("workspace", run.Out, StringComparison.Ordinal);
    }

    /// <summary>The settings printed are settings of the program, and with them the run fits.</summary>
    [Fact]
    public void The_settings_a_plan_finds_for_a_published_model_fit()
    {
        string configuration = Path.Combine(Path.GetDirectoryName(Path.GetDirectoryName(TestCompilers.Folder))!, "configs", "meissonic.json");
        CliRun run = CliRun.Of("plan", "--config", configuration, "--gpu", "rtx4090");
        Assert.True(run.Code == 0, run.Error);
        Assert.Contains("transformer      1,006,946,304  1,006,946,304", run.Out, StringComparison.Ordinal);
        Assert.Contains("does not fit 24 GB: ", run.Out, StringComparison.Ordinal);
        string[] settings = [.. Regex.Matches(run.Out, @"^  --set (\S+)$", RegexOptions.Multiline).Select(match => match.Groups[1].Value)];
        Assert.NotEmpty(settings);
        CliRun again = CliRun.Of([
            "plan",
            "--config",
            configuration,
            "--gpu",
            "rtx4090",
            .. settings.SelectMany(setting => (string[])["--set", setting]),
        ]);
        Assert.True(again.Code == 0, again.Error);
        Assert.Contains("\nfits 24 GB: ", again.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void A_memory_that_nothing_fits_is_a_failure_that_says_what_is_least()
    {
        CliRun run = CliRun.Of([.. Tiny, "--memory", "0.001"]);
        Assert.Equal(1, run.Code);
        Assert.Contains("nothing fits; the least is 0.", run.Out, StringComparison.Ordinal);
    }
}
