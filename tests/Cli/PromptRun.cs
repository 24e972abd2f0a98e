using System.Text.Json;
using CoGrpo.Model.Conversion;
using CoGrpo.Runtime.Backends.Cpu;
using CoGrpo.Runtime.Files;
using CoGrpo.Tests.Cuda;
using CoGrpo.Tests.Model;
using CoGrpo.Tests.Model.Conversion;

namespace CoGrpo.Tests.Cli;

/// <summary>
/// The shipped configuration of the published model, scaled down: a small model folder, small networks of both rewards and of a metric, a file of
/// prompts.
/// </summary>
internal sealed class PromptRun : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public PromptRun()
    {
        using CpuBackend backend = new(2);
        PublishedFolder.Write(At("checkpoint"), backend);
        Reward("ImageReward", SyntheticReward.ImageReward(tiny: true), archive: true);
        Reward("HPSv2", SyntheticReward.Hps(tiny: true), archive: true);
        Reward("CLIP", SyntheticReward.ClipScore(tiny: true), archive: false);
        File.WriteAllLines(
            At("prompts.txt"),
            Enumerable.Range(0, 9).Select(i => $"picture number {i} of a {(i % 2 == 0 ? "red fox" : "blue owl, at night")}")
        );
        File.WriteAllText(At("more.json"), """[{"prompt": "a lighthouse", "image_path": ["x.png"]}, {"prompt": "a lighthouse"}]""");
    }

    /// <summary>The command line without its output folder.</summary>
    public string[] Arguments =>
        [
            "train",
            "--config",
            Path.Combine(Path.GetDirectoryName(Path.GetDirectoryName(TestCompilers.Folder))!, "configs", "meissonic.json"),
            "--seed",
            "5",
            "--set",
            $"model.checkpoint={Json(At("checkpoint"))}",
            "--set",
            $"data.promptFiles=[{Json(At("prompts.txt"))},{Json(At("more.json"))}]",
            "--set",
            "sampling.steps=4",
            "--set",
            "sampling.width=64",
            "--set",
            "sampling.height=64",
            "--set",
            "schedule.policyWidth=64",
            "--set",
            "train.model.group=2",
            "--set",
            "train.model.batch=4",
            "--set",
            "train.model.microBatch=3",
            "--set",
            "train.schedule.group=4",
            "--set",
            "train.schedule.batch=8",
            "--set",
            "train.model.warmup=0",
            "--set",
            "train.cycles=[{\"model\":1,\"schedule\":1},{\"model\":1,\"schedule\":1}]",
            "--set",
            "train.checkpointEvery=1",
            "--set",
            "train.evaluation.every=2",
            "--set",
            "train.evaluation.steps=[4,2]",
            "--set",
            "train.evaluation.promptsPerTask=2",
            "--set",
            "train.evaluation.samples=2",
            "--set",
            $"train.evaluation.metrics=[{{\"name\":\"clipScore\",\"weights\":{Json(At("CLIP"))}}}]",
            "--set",
            $"train.rewards={Rewards}",
        ];

    /// <summary>The rewards of the command line.</summary>
    public string Rewards => $"[{{\"name\":\"imageReward\",\"weight\":0.5,\"batch\":3,\"weights\":{Json(At("ImageReward"))}}},{{\"name\":\"hpsv2\",\"weight\":0.5,\"weights\":{Json(At("HPSv2"))}}}]";

    /// <summary>A path in the folder of this run.</summary>
    public string At(string name) => _folder.File(name);

    /// <summary>A text as JSON has it.</summary>
    public static string Json(string text) => JsonSerializer.Serialize(text);

    public void Dispose() => _folder.Dispose();

    private void Reward(string name, SyntheticReward reward, bool archive) =>
        SyntheticRewardFolder.Write(At(name), reward, archive, 7, SafetensorsType.F32, new SilentConversion(), default);
}
