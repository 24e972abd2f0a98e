using System.Diagnostics;
using CoGrpo.Runtime.Files;

namespace CoGrpo.Tests.Cli;

/// <summary>The train and pretrain commands as a user meets them: processes that are killed, interrupted and resumed.</summary>
public sealed class TrainRunTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("cogrpo-runs-").FullName;

    private static readonly string[] TinyTrain =
    [
        "train",
        "--seed",
        "3",
        "--set",
        "sampling.steps=4",
        "--set",
        "train.model.stepsTrained=2",
        "--set",
        "train.model.batch=12",
        "--set",
        "train.schedule.batch=16",
        "--set",
        "train.cycles=[{\"model\":2,\"schedule\":2}]",
        "--set",
        "train.evaluation.promptsPerTask=1",
        "--set",
        "train.evaluation.samples=2",
        "--set",
        "train.evaluation.steps=[4]",
        "--set",
        "train.checkpointEvery=1",
        "--set",
        "train.model.ema=0.9",
    ];

    private static readonly string[] TinyPretrain =
    [
        "pretrain",
        "--seed",
        "4",
        "--set",
        "pretrain.steps=6",
        "--set",
        "pretrain.warmup=2",
        "--set",
        "pretrain.batch=16",
        "--set",
        "pretrain.microBatch=4",
        "--set",
        "pretrain.checkpointEvery=2",
        "--set",
        "pretrain.logEvery=1",
        "--set",
        "pretrain.evaluateEvery=0",
        "--set",
        "train.evaluation.promptsPerTask=1",
        "--set",
        "train.evaluation.samples=1",
        "--set",
        "sampling.steps=2",
        "--set",
        "train.model.stepsTrained=2",
        "--set",
        "train.evaluation.steps=[2]",
    ];

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void A_killed_training_run_resumes_to_the_same_bits() => RunProcess.KilledAndResumed(_root, TinyTrain, linesBeforeKill: 3);

    /// <summary>With adapters, an average and recomputed blocks: the checkpoint holds the adapters only.</summary>
    [Fact]
    public void A_killed_run_of_adapters_resumes_to_the_same_bits()
    {
        RunProcess.KilledAndResumed(
            _root,
            [
                .. TinyTrain,
                "--set",
                "train.model.lora={\"rank\":4,\"alpha\":8,\"targets\":[\"attention\"]}",
                "--set",
                "train.model.recomputeBlocks=true",
            ],
            linesBeforeKill: 3
        );
        string folder = Path.Combine(_root, "whole");
        foreach (string file in Directory.GetFiles(Path.Combine(folder, "lora")))
        {
            Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(file.Replace("whole", "killed", StringComparison.Ordinal)));
        }

        string checkpoint = Directory.GetDirectories(Path.Combine(folder, "checkpoints")).Order(StringComparer.Ordinal).Last();
        using SafetensorsFile state = SafetensorsFile.Open(Path.Combine(checkpoint, "state.safetensors"));
        Assert.DoesNotContain(state.Tensors.Keys, name => name.StartsWith("transformer:", StringComparison.Ordinal));
        Assert.Contains(state.Tensors.Keys, name => name.StartsWith("lora.average:", StringComparison.Ordinal));

        string merged = Path.Combine(_root, "merged");
        CliRun merge = CliRun.Of("merge", "--lora", Path.Combine(folder, "lora"), "--output", merged);
        Assert.True(merge.Code == 0, merge.Error);
        const string Weights = "transformer/diffusion_pytorch_model.safetensors";
        Assert.Equal(File.ReadAllBytes(Path.Combine(folder, "model", Weights)), File.ReadAllBytes(Path.Combine(merged, Weights)));
        CliRun sample = CliRun.Of(
            "sample",
            "a dog",
            "--lora",
            Path.Combine(folder, "lora"),
            "--lora-scale",
            "0.5",
            "--steps",
            "2",
            "--output",
            Path.Combine(_root, "pictures")
        );
        Assert.True(sample.Code == 0, sample.Error);
        Assert.Contains($"with {Path.Combine(folder, "lora")}", sample.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void A_killed_pretraining_run_resumes_to_the_same_bits() => RunProcess.KilledAndResumed(_root, TinyPretrain, linesBeforeKill: 3);

    [Fact]
    public void Ctrl_C_saves_a_checkpoint_exits_130_and_the_run_goes_on_from_it()
    {
        string folder = Path.Combine(_root, "interrupted");
        using (Process process = RunProcess.Start(TinyTrain, folder))
        {
            RunProcess.WaitForLines(process, Path.Combine(folder, "metrics.jsonl"), 2);
            Process.Start("kill", ["-INT", process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)])!.WaitForExit();
            process.WaitForExit();
            Assert.Equal(130, process.ExitCode);
        }

        Assert.NotEmpty(Directory.GetDirectories(Path.Combine(folder, "checkpoints"), "step-*"));
        Assert.Equal(0, RunProcess.Run(TinyTrain, folder, resume: true).Code);
        Assert.True(File.Exists(Path.Combine(folder, "report.md")));
        Assert.Equal(["before.png", "after.png"], Directory.GetFiles(Path.Combine(folder, "samples")).Select(Path.GetFileName).OrderDescending());
    }

    [Fact]
    public void A_finished_run_has_everything_the_report_shows_and_is_not_overwritten()
    {
        string folder = Path.Combine(_root, "finished");
        Assert.Equal(0, RunProcess.Run(TinyTrain, folder, resume: false).Code);
        string report = File.ReadAllText(Path.Combine(folder, "report.md"));
        foreach (string file in new[] { "config.json", "metrics.jsonl", "rewards.svg", "schedule.svg", "samples/before.png", "samples/after.png",
            "model/transformer/diffusion_pytorch_model.safetensors", "model/text_encoder/model.safetensors", "model/schedule_policy/config.json" })
        {
            Assert.True(File.Exists(Path.Combine(folder, file)), file);
        }

        Assert.Contains("trained, T = 4", report, StringComparison.Ordinal);
        (int code, string error) = RunProcess.Run(TinyTrain, folder, resume: false);
        Assert.Equal(1, code);
        Assert.Contains("--resume", error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
        (code, error) = RunProcess.Run([.. TinyTrain, "--set", "train.model.learningRate=1e-3"], folder, resume: true);
        Assert.Equal(1, code);
        Assert.Contains("configuration", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("model.checkpoint=\"nowhere\"", 1)]
    [InlineData("train.rewards=[{\"name\":\"imageReward\"}]", 2)]
    [InlineData("train.model.stepsTrained=3", 2)]
    public void Impossible_settings_give_one_line_and_leave_no_folder(string setting, int expected)
    {
        string folder = Path.Combine(_root, "refused");
        (int code, string error) = RunProcess.Run([.. TinyTrain, "--set", setting], folder, resume: false);
        Assert.Equal(expected, code);
        Assert.Single(error.Trim().Split('\n'));
        Assert.StartsWith("error: ", error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder));
    }
}
