using System.Globalization;
using CoGrpo.Rl.Evaluation;
using CoGrpo.Rl.Logging;
using CoGrpo.Rl.Training;

namespace CoGrpo.Rl.Runs;

/// <summary>
/// Warns, once each, about the known ways a run goes wrong (specs/grpo.md 4): diversity falls, controls stand at their clamps, the reward
/// rises while the judge falls. Compares means over windows of iterations, since single rollouts are noisy.
/// </summary>
internal sealed class RewardAlarms
{
    private const int Window = 5;
    private const double DiversityShare = 0.8;
    private const double ClampShare = 0.05;

    private readonly IProgressReporter _progress;
    private readonly IReadOnlyList<string> _rewards;
    private readonly List<(double Reward, double Judge, double Diversity)> _seen = [];
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
        _seen.Add((sum, judge, diversity));
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

        (double Reward, double Judge, double Diversity) first = Mean(_seen.Take(Window)), last = Mean(_seen.TakeLast(Window));
        if (!_diversity && last.Diversity < DiversityShare * first.Diversity)
        {
            _diversity = true;
            Warn(string.Create(CultureInfo.InvariantCulture,
                $"iteration {iteration}: diversity fell from {first.Diversity:f2} to {last.Diversity:f2}; pictures of one prompt grow alike, consider a KL weight or fewer iterations"));
        }

        if (!_hacking && last.Reward > first.Reward && last.Judge < first.Judge)
        {
            _hacking = true;
            Warn(string.Create(CultureInfo.InvariantCulture,
                $"iteration {iteration}: the reward rose from {first.Reward:f3} to {last.Reward:f3} while the judge fell from {first.Judge:f3} to {last.Judge:f3}; the reward may be hacked, look at the samples"));
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
            !_rewards.Contains(score.Name) && !double.IsNaN(score.Error) && First(score) - score.Value > 2 * score.Error
        );
        if (_metric || fallen is null || !scores.Means.Where(score => _rewards.Contains(score.Name)).All(score => score.Value > First(score)))
        {
            return;
        }

        _metric = true;
        Warn(string.Create(CultureInfo.InvariantCulture,
            $"iteration {iteration}: the rewards rose on held-out prompts while {fallen.Name} fell from {First(fallen):f3} to {fallen.Value:f3}; the reward may be hacked, look at the samples"));
        double First(Score score) => _first.Means.First(first => first.Name == score.Name).Value;
    }

    private void Warn(string text)
    {
        if (!_silent)
        {
            _progress.Warning(text);
        }
    }

    private static (double Reward, double Judge, double Diversity) Mean(IEnumerable<(double Reward, double Judge, double Diversity)> window) =>
        (window.Average(w => w.Reward), window.Average(w => w.Judge), window.Average(w => w.Diversity));
}
