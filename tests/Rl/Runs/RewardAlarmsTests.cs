using CoGrpo.Rl.Evaluation;
using CoGrpo.Rl.Logging;
using CoGrpo.Rl.Runs;
using CoGrpo.Rl.Training;

namespace CoGrpo.Tests.Rl.Runs;

/// <summary>Warnings about runs that go wrong, and silence about those that do not.</summary>
public sealed class RewardAlarmsTests
{
    private readonly Warnings _warnings = new();

    [Fact]
    public void Rewards_that_rise_while_a_metric_falls_are_told_once()
    {
        var alarms = new RewardAlarms(_warnings, ["one", "two"]);
        Watch(alarms, 0, 1, 10, 30);
        Watch(alarms, 10, 1.5, 10.5, 29.5);
        Assert.Empty(_warnings.Said);
        Watch(alarms, 20, 1.5, 10.5, 28.9);
        Assert.Equal("iteration 20: the rewards rose on held-out prompts while metric fell from 30.000 to 28.900; the reward may be hacked, look at the samples", Assert.Single(_warnings.Said));
        Watch(alarms, 30, 1.6, 10.6, 20);
        Assert.Single(_warnings.Said);
    }

    [Theory]
    [InlineData(1.5, 9.9, 20, 0.5)]
    [InlineData(1.5, 10.5, 31, 0.5)]
    [InlineData(1, 10, 20, 0.5)]
    [InlineData(1.5, 10.5, 20, 5.1)]
    [InlineData(1.5, 10.5, 20, double.NaN)]
    public void Anything_less_is_no_alarm(double one, double two, double metric, double error)
    {
        var alarms = new RewardAlarms(_warnings, ["one", "two"]);
        Watch(alarms, 0, 1, 10, 30);
        Watch(alarms, 10, one, two, metric, error);
        Assert.Empty(_warnings.Said);
    }

    /// <summary>Runs on prompts have no judge: pictures that grow alike are told all the same.</summary>
    [Fact]
    public void Falling_diversity_is_told_without_a_judge()
    {
        var alarms = new RewardAlarms(_warnings, ["one", "two"]);
        for (int i = 1; i <= 20; i++)
        {
            alarms.Watch(new IterationMetrics(["one"], 1) { Iteration = i, Diversity = i <= 10 ? 0.9 : 0.5 });
        }

        Assert.Contains("diversity fell from 0.90 to", Assert.Single(_warnings.Said), StringComparison.Ordinal);
    }

    /// <summary>A judge that wavers, and ends a little lower than it was, is no alarm; one that fell is.</summary>
    [Theory]
    [InlineData(0.005, 0)]
    [InlineData(0.2, 1)]
    public void A_judge_falls_when_it_falls_by_more_than_it_wavers(double fall, int warnings)
    {
        var alarms = new RewardAlarms(_warnings, ["one"]);
        for (int i = 1; i <= 40; i++)
        {
            var metrics = new IterationMetrics(["one"], 1) { Iteration = i, Judge = 0.5 + (0.04 * Math.Sin(2.5 * i)) - (i > 10 ? fall : 0), Diversity = 0.9 };
            metrics.RewardMean[0] = 0.01 * i;
            alarms.Watch(metrics);
        }

        Assert.Equal(warnings, _warnings.Said.Count(said => said.Contains("while the judge fell from 0.5", StringComparison.Ordinal)));
        Assert.Equal(warnings, _warnings.Said.Count);
    }

    /// <summary>Wherever it is cut: what was said before is not said again, and the rest is said at the same iterations in the same words.</summary>
    [Fact]
    public void A_resumed_run_is_warned_as_the_whole_run_is()
    {
        const int Iterations = 24;
        Go(new RewardAlarms(_warnings, ["one", "two"]), 0, Iterations, null);
        string[] whole = [.. _warnings.Said];
        Assert.Equal(["iteration 8", "iteration 12", "iteration 15", "iteration 18"], whole.Select(said => said.Split(':')[0]));
        using var folder = new TemporaryFolder();
        for (int cut = 1; cut < Iterations; cut++)
        {
            string path = folder.File($"{cut}.jsonl");
            _warnings.Said.Clear();
            using (var log = new MetricsWriter(path, 0))
            {
                Go(new RewardAlarms(_warnings, ["one", "two"]), 0, cut, log);
            }

            var resumed = new RewardAlarms(_warnings, ["one", "two"]);
            resumed.Recall(MetricsReader.Read(path));
            Go(resumed, cut, Iterations, null);
            Assert.Equal(whole, _warnings.Said);
        }
    }

    /// <summary>
    /// Clamps at iteration 8, rewards that rise on held-out prompts while the metric falls at 12, diversity that fell by 15 and a judge by 18.
    /// </summary>
    private static void Go(RewardAlarms alarms, int done, int end, MetricsWriter? log)
    {
        for (int i = done + 1; i <= end; i++)
        {
            var metrics = new IterationMetrics(["one", "two"], 1)
            {
                Iteration = i,
                Groups = 1,
                Judge = i < 14 ? 0.7 + (0.01 * i) : 0.6,
                Diversity = i < 13 ? 0.9 : 0.55,
                ClampRate = i == 8 ? 0.06 : 0.01,
            };
            (metrics.RewardMean[0], metrics.RewardMean[1]) = (Math.Sqrt(i), 1.0 / (1 + i));
            alarms.Watch(metrics);
            log?.Write(i, metrics.Flatten());
            if (i % 4 == 0)
            {
                ScoreSheet scores = Sheet(Math.Sqrt(i), i, i < 12 ? 30 : 30 - (i / 10.0), 0.5);
                alarms.Watch(i, scores);
                log?.Write(i, ScoreTable.Flatten("eval", scores));
            }
        }
    }

    private static void Watch(RewardAlarms alarms, long iteration, double one, double two, double metric, double error = 0.5) =>
        alarms.Watch(iteration, Sheet(one, two, metric, error));

    private static ScoreSheet Sheet(double one, double two, double metric, double error) =>
        new([new Score("one", one, 3, 0.1), new Score("two", two, 3, 0.1), new Score("metric", metric, 3, error), new Score("diversity", 0.1)], []);

    private sealed class Warnings : IProgressReporter
    {
        public List<string> Said { get; } = [];

        public void Begin(string title, long total, long done = 0)
        {
        }

        public void Report(long done, string message)
        {
        }

        public void Metrics(string line)
        {
        }

        public void Warning(string text) => Said.Add(text);

        public void End()
        {
        }
    }
}
