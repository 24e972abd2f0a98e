using System.Text.Json;
using CoGrpo.Tests.Cli;

namespace CoGrpo.Tests.Cuda;

/// <summary>Commands as a user gives them, on a machine whose GPU is emulated.</summary>
public sealed class CudaRunTests : IDisposable
{
    private static readonly string[] TwoIterations =
    [
        "train",
        "--config",
        Path.Combine(Path.GetDirectoryName(Path.GetDirectoryName(TestCompilers.Folder))!, "configs", "emoji-scenes.json"),
        "--seed",
        "3",
        "--set",
        "sampling.steps=2",
        "--set",
        "train.model.stepsTrained=1",
        "--set",
        "train.model.group=2",
        "--set",
        "train.schedule.group=2",
        "--set",
        "train.model.batch=2",
        "--set",
        "train.schedule.batch=2",
        "--set",
        "train.cycles=[{\"model\":1,\"schedule\":1}]",
        "--set",
        "train.evaluation.promptsPerTask=1",
        "--set",
        "train.evaluation.samples=1",
        "--set",
        "train.evaluation.steps=[2]",
    ];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>The shipped model, both phases: the pictures before and after, and the rewards of every iteration, are those of the CPU.</summary>
    [Fact]
    public void TwoIterationsOfTrainDrawWhatTheCpuDraws()
    {
        string cpu = _folder.File("cpu"),
            gpu = _folder.File("gpu");
        CliRun expected = CliRun.Of([.. TwoIterations, "--output", cpu]),
            actual = CliRun.OnEmulatedGpu([.. TwoIterations, "--device", "cuda", "--precision", "fp32", "--output", gpu]);
        Assert.True(expected.Code == 0, expected.Error);
        Assert.True(actual.Code == 0, actual.Error);
        foreach (string picture in new[] { "before.png", "after.png" })
        {
            Assert.Equal(File.ReadAllBytes(Path.Combine(cpu, "samples", picture)), File.ReadAllBytes(Path.Combine(gpu, "samples", picture)));
        }

        string[] wanted = File.ReadAllLines(Path.Combine(cpu, "metrics.jsonl")), got = File.ReadAllLines(Path.Combine(gpu, "metrics.jsonl"));
        Assert.Equal(wanted.Length, got.Length);
        for (int i = 0; i < wanted.Length; i++)
        {
            Assert.Equal(Rewards(wanted[i]), Rewards(got[i]));
        }

        Assert.Equal(3, wanted.Length);
    }

    /// <summary>
    /// A model in the published layout with reward networks, both phases: until the first update the same codes are decoded as on the CPU, and scores
    /// differ by the rounding of sums alone.
    /// </summary>
    [Fact]
    public void TwoIterationsWithRewardNetworksScoreAsTheCpuDoes()
    {
        using PromptRun small = new();
        string[] arguments =
        [
            .. small.Arguments,
            "--set",
            "sampling.steps=2",
            "--set",
            "train.model.stepsTrained=1",
            "--set",
            "train.model.batch=2",
            "--set",
            "train.schedule.group=2",
            "--set",
            "train.schedule.batch=2",
            "--set",
            "train.cycles=[{\"model\":1,\"schedule\":1}]",
            "--set",
            "train.evaluation.every=0",
            "--set",
            "train.evaluation.steps=[2]",
            "--set",
            "train.evaluation.promptsPerTask=1",
            "--set",
            "train.evaluation.samples=1",
            // Adam's first step is the sign of each gradient: where rounding decides that, a larger one would draw other pictures in the second iteration.
            "--set", "train.model.learningRate=1e-8",
        ];
        string cpu = _folder.File("cpu"),
            gpu = _folder.File("gpu");
        CliRun expected = CliRun.Of([.. arguments, "--output", cpu]),
            actual = CliRun.OnEmulatedGpu([.. arguments, "--device", "cuda", "--precision", "fp32", "--output", gpu]);
        Assert.True(expected.Code == 0, expected.Error);
        Assert.True(actual.Code == 0, actual.Error);
        string[] wanted = File.ReadAllLines(Path.Combine(cpu, "metrics.jsonl")), got = File.ReadAllLines(Path.Combine(gpu, "metrics.jsonl"));
        Assert.Equal(3, wanted.Length);
        Assert.Equal(3, got.Length);
        for (int i = 0; i < wanted.Length; i++)
        {
            Dictionary<string, string> one = Rewards(wanted[i]), other = Rewards(got[i]);
            Assert.Contains(one.Keys, name => name.Contains("imageReward", StringComparison.Ordinal));
            Assert.Equal(one.Keys, other.Keys);
            Assert.All(other.Values, value => Assert.True(double.IsFinite(Number(value))));

            // The first step of Adam moves every weight by the learning rate, in the direction of its gradient, whatever its size: behind it a code may be another.
            if (i < 2)
            {
                Assert.All(one, entry => Assert.Equal(Number(entry.Value), Number(other[entry.Key]), 1e-5));
            }
        }

        static double Number(string text) => double.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
    }

    [Fact]
    public void DoctorComparesOperationsWithTheCpu()
    {
        CliRun run = CliRun.OnEmulatedGpu(["doctor", "--image-tokens", "4", "--filter", "norm"]);
        Assert.True(run.Code == 0, run.Out + run.Error);
        foreach (string said in new[] { "RmsNormBackward", "QkNormRope", "agrees", "all " })
        {
            Assert.Contains(said, run.Out, StringComparison.Ordinal);
        }

        Assert.DoesNotContain("differs", run.Out, StringComparison.Ordinal);
    }

    private static Dictionary<string, string> Rewards(string line) =>
        JsonDocument
            .Parse(line)
            .RootElement.EnumerateObject()
            .Where(entry =>
                entry.Name.StartsWith("reward/", StringComparison.Ordinal)
                || entry.Name.StartsWith("eval/", StringComparison.Ordinal)
                || entry.Name.StartsWith("decoded/", StringComparison.Ordinal)
            )
            .ToDictionary(entry => entry.Name, entry => entry.Value.GetRawText(), StringComparer.Ordinal);
}
