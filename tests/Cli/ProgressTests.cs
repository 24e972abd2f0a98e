using CoGrpo.Cli;
using CoGrpo.Cli.Progress;

namespace CoGrpo.Tests.Cli;

public sealed class ProgressTests
{
    private readonly StringWriter _writer = new() { NewLine = "\n" };
    private readonly ManualTime _time = new();

    [Fact]
    public void Piped_progress_is_a_line_every_few_seconds()
    {
        PlainProgress progress = new(_writer, _time);
        progress.Begin("train", 40);
        for (int done = 1; done <= 40; done++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            progress.Report(done, done == 10 ? "judge .5" : "");
            if (done == 12)
            {
                progress.Metrics("iteration 12 reward 0.7");
                progress.Warning("diversity falls");
            }
        }

        progress.End();
        progress.End();
        Assert.Equal(
            """
            train: 0/40
            train: 5/40 (12 %), 1.0/s, 35 s left
            train: 10/40 (25 %), 1.0/s, 30 s left, judge .5
            iteration 12 reward 0.7
            warning: diversity falls
            train: 15/40 (37 %), 1.0/s, 25 s left
            train: 20/40 (50 %), 1.0/s, 20 s left
            train: 25/40 (62 %), 1.0/s, 15 s left
            train: 30/40 (75 %), 1.0/s, 10 s left
            train: 35/40 (87 %), 1.0/s, 5 s left
            train: 40/40 (100 %) in 40 s

            """, _writer.ToString());
    }

    [Fact]
    public void Resumed_work_does_not_count_as_speed()
    {
        PlainProgress progress = new(_writer, _time);
        progress.Begin("train", 200, 100);
        _time.Advance(TimeSpan.FromSeconds(100));
        progress.Report(101, "");
        Assert.EndsWith("train: 101/200 (50 %), 100.0 s each, 2 h 45 min left\n", _writer.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Work_cut_short_ends_with_what_was_reached()
    {
        PlainProgress progress = new(_writer, _time);
        progress.Begin("sample", 10);
        _time.Advance(TimeSpan.FromSeconds(2));
        progress.Report(4, "");
        progress.Begin("write", 1);
        Assert.Equal("sample: 0/10\nsample: 4/10 (40 %), 2.0/s, 3 s left\nwrite: 0/1\n", _writer.ToString());
    }

    [Fact]
    public void The_bar_ends_and_keeps_metrics_visible()
    {
        LiveProgress progress = new(_writer);
        progress.Begin("train [a]", 2);
        progress.Report(1, "reward [0.5]");
        progress.Metrics("[x] 1");
        progress.Begin("eval", 1);
        progress.Warning("w [y]");
        progress.Report(1, "");
        progress.End();
        progress.End();
        Assert.Contains("[x] 1", _writer.ToString(), StringComparison.Ordinal);
        Assert.Contains("w [y]", _writer.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(1023, "1023 B")]
    [InlineData(1536, "1.5 KiB")]
    [InlineData(8.0 * 1024 * 1024, "8.0 MiB")]
    public void Bytes_in_words(double bytes, string expected) => Assert.Equal(expected, ByteText.Of(bytes));

    private sealed class ManualTime : TimeProvider
    {
        private long _ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _ticks;

        public void Advance(TimeSpan span) => _ticks += span.Ticks;
    }
}
