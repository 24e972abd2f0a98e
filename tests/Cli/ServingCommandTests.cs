using CoGrpo.Cli;
using CoGrpo.Rl.Serving;
using CoGrpo.Tests.Rl.Serving;

namespace CoGrpo.Tests.Cli;

public sealed class ServingCommandTests : IDisposable
{
    private readonly ServingModel _model = new();

    public void Dispose() => _model.Dispose();

    [Fact]
    public void Sample_prints_the_files_it_wrote()
    {
        CliRun run = Ask("sample", "a dog", "Two  Cats", "--steps", "2", "--threads", "2", "--schedule", _model.Checkpoint);
        Assert.Equal(0, run.Code);
        string[] lines = run.Out.TrimEnd().Split(Environment.NewLine);
        string folder = _model.At("out");
        Assert.Equal(
            [
                $"model: {_model.Checkpoint}",
                Path.Combine(folder, "samples", "0001-a-dog.png"),
                Path.Combine(folder, "samples", "0002-two-cats.png"),
                $"grid: {Path.Combine(folder, "grid.png")}",
            ],
            lines[..4]
        );
        Assert.EndsWith("of 2 pictures show their prompt", lines[4], StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(folder, "grid.png")));
    }

    [Theory]
    [InlineData("a dgo", "dog")]
    [InlineData("a dog cat", "fits none of the six tasks")]
    public void A_prompt_that_cannot_be_read_is_a_usage_error(string prompt, string hint)
    {
        CliRun run = Ask("sample", "a cat", prompt);
        Assert.Equal((2, ""), (run.Code, run.Out));
        Assert.StartsWith($"error: prompt '{prompt}'", run.Error, StringComparison.Ordinal);
        Assert.Contains(hint, run.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_model.At("out")));
    }

    [Fact]
    public void Failures_are_one_line()
    {
        CliRun missing = CliRun.Of("sample", "a cat", "-m", _model.At("none"), "-o", _model.At("out"));
        Assert.Equal(1, missing.Code);
        Assert.StartsWith($"error: {_model.At("none")}", missing.Error, StringComparison.Ordinal);
        Assert.Single(missing.Error.TrimEnd().Split('\n'));
        string empty = Directory.CreateDirectory(_model.At("empty")).FullName;
        CliRun schedule = Ask("eval", "--schedule", empty);
        Assert.Equal(1, schedule.Code);
        Assert.Contains("wanted a checkpoint with a folder schedule_policy", schedule.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Eval_prints_an_aligned_table_and_writes_it()
    {
        string[] small =
        [
            "--set",
            "train.evaluation.steps=[2]",
            "--set",
            "train.evaluation.promptsPerTask=1",
            "--set",
            "train.evaluation.samples=1",
            "--threads",
            "1",
        ];
        CliRun run = Ask([
            "eval",
            "--split",
            "train",
            "--transfer",
            "table",
            "--schedule",
            Path.Combine(_model.Checkpoint, "schedule_policy"),
            .. small,
        ]);
        Assert.Equal(0, run.Code);
        string[] lines = run.Out.ReplaceLineEndings("\n").Split('\n');
        Assert.StartsWith("schedule        split  steps  judge  error  adherence", lines[1], StringComparison.Ordinal);
        Assert.StartsWith("hand-made       train      2  ", lines[2], StringComparison.Ordinal);
        Assert.StartsWith("learned, table  train      2  ", lines[3], StringComparison.Ordinal);
        foreach (string file in (string[])["eval.md", "eval.csv", "eval-grid.png"])
        {
            Assert.Contains(Path.Combine(_model.At("out"), file), lines);
            Assert.True(File.Exists(Path.Combine(_model.At("out"), file)));
        }
    }

    [Fact]
    public void Schedule_prints_the_curves_and_draws_them()
    {
        string svg = _model.At("curves/schedule.svg");
        CliRun run = Ask("schedule", "--schedule", _model.Checkpoint, "--svg", svg, "--steps", "3", "--threads", "1");
        Assert.Equal(0, run.Code);
        Assert.StartsWith("step ", run.Out, StringComparison.Ordinal);
        Assert.Contains("r learned", run.Out, StringComparison.Ordinal);
        Assert.StartsWith("<svg", File.ReadAllText(svg), StringComparison.Ordinal);
        Assert.False(Directory.Exists(_model.At("out")));
    }

    [Fact]
    public void Interruption_is_130()
    {
        CliRun run = CliRun.With(
            _ => [],
            ["eval", "-m", _model.Checkpoint, "-o", _model.At("out"), "--threads", "1"],
            new CancellationToken(canceled: true)
        );
        Assert.Equal(130, run.Code);
        Assert.False(File.Exists(Path.Combine(_model.At("out"), "eval.csv")));
    }

    [Fact]
    public void A_terminal_gets_a_framed_table()
    {
        using StringWriter writer = new();
        TableOutput.WriteFramed(writer, new ResultTable(["name", "x"], [["a[b]", "1"]], TextColumns: 1));
        Assert.Contains("a[b]", writer.ToString(), StringComparison.Ordinal);
    }

    private CliRun Ask(params string[] args) => CliRun.Of([.. args, "-m", _model.Checkpoint, "-o", _model.At("out")]);
}
