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
        var alarms = new RewardAlarms(_warnings);
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
        var alarms = new RewardAlarms(_warnings);
        Watch(alarms, 0, 1, 10, 30);
        Watch(alarms, 10, one, two, metric, error);
        Assert.Empty(_warnings.Said);
    }

    /// <summary>Runs on prompts have no judge: pictures that grow alike are told all the same.</summary>
    [Fact]
    public void Falling_diversity_is_told_without_a_judge()
    {
        var alarms = new RewardAlarms(_warnings);
        for (int i = 1; i <= 20; i++)
        {
            alarms.Watch(new IterationMetrics(["one"], 1) { Iteration = i, Diversity = i <= 10 ? 0.9 : 0.5 });
        }

        Assert.Contains("diversity fell from 0.90 to", Assert.Single(_warnings.Said), StringComparison.Ordinal);
    }

    private static void Watch(RewardAlarms alarms, long iteration, double one, double two, double metric, double error = 0.5) =>
        alarms.Watch(iteration, new ScoreSheet([new Score("one", one, 3, 0.1), new Score("two", two, 3, 0.1), new Score("metric", metric, 3, error), new Score("diversity", 0.1)], []), ["one", "two"]);

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
