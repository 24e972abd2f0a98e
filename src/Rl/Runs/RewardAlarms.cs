using System.Globalization;
using CoGrpo.Rl.Evaluation;
using CoGrpo.Rl.Logging;
using CoGrpo.Rl.Training;

namespace CoGrpo.Rl.Runs;

/// <summary>
/// Warns, once each, about the known ways a run goes wrong (specs/grpo.md 4): diversity falls, controls stand at their clamps, the reward
/// rises while the judge falls. Compares means over windows of iterations, since single rollouts are noisy, and calls a rise or fall what is more
/// than twice its standard error.
/// </summary>
internal sealed class RewardAlarms
{
    private const int Window = 5;
    private const double DiversityShare = 0.8;
    private const double ClampShare = 0.05;
    private const double Errors = 2;

    private readonly IProgressReporter _progress;
    private readonly IReadOnlyList<string> _rewards;
    private readonly List<Seen> _seen = [];
    private bool _diversity;
    private bool _clamp;
    private bool _hacking;
    private bool _metric;
    private bool _silent;
    private ScoreSheet? _first;

    /// <param name="progress">Is told.</param>
    /// <param name="rewards">Names of what is trained on.</param>
    public RewardAlarms(IProgressReporter progress, IReadOnlyList<string> rewards) => (_progress, _rewards) = (progress, rewards);

    /// <summary>
    /// Sees what a run that is resumed has logged, in silence: whatever there was to say has been said, and the windows go on from there.
    /// </summary>
    public void Recall(IEnumerable<IReadOnlyDictionary<string, double>> log)
    {
        _silent = true;
        foreach (IReadOnlyDictionary<string, double> line in log)
        {
            long iteration = (long)line["iteration"];
            if (ScoreTable.Read("eval", line) is { Means.Count: > 0 } scores)
            {
                Watch(iteration, scores);
            }
            else
            {
                Watch(
                    iteration,
                    _rewards.Sum(name => Value($"reward/{name}/mean")),
                    Value("heldout/judge"),
                    Value("heldout/diversity"),
                    Value("policy/clamp_rate")
                );
            }

            double Value(string name) => line.GetValueOrDefault(name, double.NaN);
        }

        _silent = false;
    }

    /// <summary>Looks at an iteration.</summary>
    public void Watch(IterationMetrics metrics) =>
        Watch(metrics.Iteration, metrics.RewardMean.Sum(), metrics.Judge, metrics.Diversity, metrics.ClampRate);

    private void Watch(long iteration, double sum, double judge, double diversity, double clampRate)
    {
        _seen.Add(new Seen(sum, judge, diversity));
        if (!_clamp && clampRate > ClampShare)
        {
            _clamp = true;
            Warn(string.Create(CultureInfo.InvariantCulture,
                $"iteration {iteration}: {clampRate:p0} of the schedule's actions stand at a clamp; lower train.schedule.learningRate or look at the schedule curves"));
        }

        if (_seen.Count < 2 * Window)
        {
            return;
        }

        (double Mean, double Error) before = First(seen => seen.Diversity), now = Last(seen => seen.Diversity);
        if (!_diversity && now.Mean < DiversityShare * before.Mean)
        {
            _diversity = true;
            Warn(string.Create(CultureInfo.InvariantCulture,
                $"iteration {iteration}: diversity fell from {before.Mean:f2} to {now.Mean:f2}; pictures of one prompt grow alike, consider a KL weight or fewer iterations"));
        }

        (double Mean, double Error) reward = First(seen => seen.Reward), rewarded = Last(seen => seen.Reward);
        (double Mean, double Error) judged = First(seen => seen.Judge), judges = Last(seen => seen.Judge);
        if (!_hacking && Rises(reward, rewarded) && Rises(judges, judged))
        {
            _hacking = true;
            Warn(string.Create(CultureInfo.InvariantCulture,
                $"iteration {iteration}: the reward rose from {reward.Mean:f3} to {rewarded.Mean:f3} while the judge fell from {judged.Mean:f3} to {judges.Mean:f3}; the reward may be hacked, look at the samples"));
        }
    }

    /// <summary>
    /// Compares a held-out evaluation with the first: an alarm when every reward rose and a metric that is never trained on fell by more than twice
    /// its standard error.
    /// </summary>
    public void Watch(long iteration, ScoreSheet scores)
    {
        _first ??= scores;
        Score? fallen = scores.Means.FirstOrDefault(score =>
            !_rewards.Contains(score.Name) && !double.IsNaN(score.Error) && Base(score) - score.Value > Errors * score.Error
        );
        if (_metric || fallen is null || !scores.Means.Where(score => _rewards.Contains(score.Name)).All(score => score.Value > Base(score)))
        {
            return;
        }

        _metric = true;
        Warn(string.Create(CultureInfo.InvariantCulture,
            $"iteration {iteration}: the rewards rose on held-out prompts while {fallen.Name} fell from {Base(fallen):f3} to {fallen.Value:f3}; the reward may be hacked, look at the samples"));
        double Base(Score score) => _first.Means.First(first => first.Name == score.Name).Value;
    }

    private void Warn(string text)
    {
        if (!_silent)
        {
            _progress.Warning(text);
        }
    }

    private (double Mean, double Error) First(Func<Seen, double> value) => Moments(_seen.Take(Window).Select(value));

    private (double Mean, double Error) Last(Func<Seen, double> value) => Moments(_seen.TakeLast(Window).Select(value));

    private static bool Rises((double Mean, double Error) from, (double Mean, double Error) to) =>
        to.Mean - from.Mean > Errors * double.Hypot(from.Error, to.Error);

    /// <summary>Mean of a window and its standard error.</summary>
    private static (double Mean, double Error) Moments(IEnumerable<double> window)
    {
        double[] values = [.. window];
        double mean = values.Average();
        return (mean, Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (values.Length * (values.Length - 1.0))));
    }

    /// <summary>What an iteration's rollout shows.</summary>
    private readonly record struct Seen(double Reward, double Judge, double Diversity);
}
