using CoGrpo.Model;
using CoGrpo.Rl.Logging;
using CoGrpo.Tests.Rl.Rewards;

namespace CoGrpo.Tests.Cli;

/// <summary>Training with a server as its reward, which may fail or be silent: the run is saved as it was before and goes on from there.</summary>
public sealed class RemoteRunTests : IDisposable
{
    private readonly PromptRun _run = new();
    private readonly ServedReward _served;
    private Action? _asked;

    public RemoteRunTests() => _served = new ServedReward(new BrightnessReward { Asked = () => _asked?.Invoke() });

    public void Dispose()
    {
        _served.Dispose();
        _run.Dispose();
    }

    [Fact]
    public void A_run_that_is_stopped_while_its_server_is_asked_goes_on_to_the_same_bits()
    {
        CliRun whole = CliRun.Of(Arguments("whole"));
        Assert.True(whole.Code == 0, whole.Error);
        Assert.Equal(1, Warnings(whole));

        // Lines: the base, two iterations, an evaluation, the last iteration.
        Assert.Equal(5, MetricsReader.Read(_run.At("whole/metrics.jsonl")).Count);
        Stopped("second", lines: 2, interrupted: true, "step-000001");
        Stopped("evaluation", lines: 3, interrupted: true, "step-000002");
        Stopped("third", lines: 4, interrupted: false, "step-000002");
        Stopped("first", lines: 1, interrupted: false, "step-000000");
    }

    /// <summary>While metrics.jsonl has this many lines the server fails, or is silent after Ctrl-C.</summary>
    private void Stopped(string name, int lines, bool interrupted, string checkpoint)
    {
        using var interruption = new CancellationTokenSource();
        using var ended = new ManualResetEventSlim();
        string metrics = _run.At($"{name}/metrics.jsonl");
        _asked = () =>
        {
            if (!File.Exists(metrics) || MetricsReader.Read(metrics).Count != lines)
            {
                return;
            }

            if (!interrupted)
            {
                throw new ModelException("no room for pictures");
            }

            interruption.Cancel();
            ended.Wait(TimeSpan.FromSeconds(60));
        };
        CliRun stopped = CliRun.With(_ => [], Arguments(name), interruption.Token);
        _asked = null;
        ended.Set();
        Assert.Equal(interrupted ? 130 : 1, stopped.Code);
        string[] errors = [.. stopped.Error.Split('\n').Where(line => line.StartsWith("error:", StringComparison.Ordinal))];
        if (interrupted)
        {
            Assert.Empty(errors);
        }
        else
        {
            Assert.Contains("got status 500, no room for pictures; start the server", Assert.Single(errors), StringComparison.Ordinal);
        }

        Assert.Equal(lines, MetricsReader.Read(metrics).Count);
        Assert.Equal(checkpoint, Path.GetFileName(Assert.Single(Directory.GetDirectories(_run.At($"{name}/checkpoints")))));
        CliRun resumed = CliRun.Of([.. Arguments(name), "--resume"]);
        Assert.True(resumed.Code == 0, resumed.Error);
        Assert.Equal(RunProcess.Metrics(_run.At("whole")), RunProcess.Metrics(_run.At(name)));
        Assert.Equal(1, Warnings(stopped) + Warnings(resumed));
        string[] files = Directory.GetFiles(_run.At("whole/model"), "*.safetensors", SearchOption.AllDirectories);
        Assert.NotEmpty(files);
        Assert.All(
            files,
            file => Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(file.Replace(_run.At("whole"), _run.At(name), StringComparison.Ordinal)))
        );
    }

    /// <summary>Exploration so wide that actions stand at their clamps, which is told once.</summary>
    private static int Warnings(CliRun run) => run.Error.Split('\n').Count(line => line.Contains("stand at a clamp", StringComparison.Ordinal));

    private string[] Arguments(string name) =>
        [
            .. _run.Arguments,
            "--set",
            "sampling.steps=2",
            "--set",
            "train.evaluation.steps=[2]",
            "--set",
            "train.evaluation.samples=1",
            "--set",
            "train.evaluation.metrics=[]",
            "--set",
            "train.checkpointEvery=100",
            "--set",
            "train.cycles=[{\"model\":2,\"schedule\":1}]",
            "--set",
            "train.schedule.batch=4",
            "--set",
            "schedule.sigma=[9,9,9,9]",
            "--set",
            "train.model.actionsInModelPhase=sample",
            "--set",
            $"train.rewards=[{{\"name\":\"remote\",\"weight\":1,\"batch\":2,\"timeoutSeconds\":60,\"retries\":0,\"url\":{PromptRun.Json(_served.Url.ToString())}}}]",
            "--threads",
            "1",
            "--output",
            _run.At(name),
        ];
}
