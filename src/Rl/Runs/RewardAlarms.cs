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
    private readonly List<(double Reward, double Judge, double Diversity)> _seen = [];
    private bool _diversity;
    private bool _clamp;
    private bool _hacking;
    private bool _metric;
    private ScoreSheet? _first;

    public RewardAlarms(IProgressReporter progress) => _progress = progress;

    public void Watch(IterationMetrics metrics)
    {
        _seen.Add((metrics.RewardMean.Sum(), metrics.Judge, metrics.Diversity));
        if (!_clamp && metrics.ClampRate > ClampShare)
        {
            _clamp = true;
            _progress.Warning(string.Create(CultureInfo.InvariantCulture,
                $"iteration {metrics.Iteration}: {metrics.ClampRate:p0} of the schedule's actions stand at a clamp; lower train.schedule.learningRate or look at the schedule curves"));
        }

        if (_seen.Count < 2 * Window)
        {
            return;
        }

        (double reward, double judge, double diversity) first = Mean(_seen.Take(Window));
        (double reward, double judge, double diversity) last = Mean(_seen.TakeLast(Window));
        if (!_diversity && last.diversity < DiversityShare * first.diversity)
        {
            _diversity = true;
            _progress.Warning(string.Create(CultureInfo.InvariantCulture,
                $"iteration {metrics.Iteration}: diversity fell from {first.diversity:f2} to {last.diversity:f2}; pictures of one prompt grow alike, consider a KL weight or fewer iterations"));
        }

        if (!_hacking && last.reward > first.reward && last.judge < first.judge)
        {
            _hacking = true;
            _progress.Warning(string.Create(CultureInfo.InvariantCulture,
                $"iteration {metrics.Iteration}: the reward rose from {first.reward:f3} to {last.reward:f3} while the judge fell from {first.judge:f3} to {last.judge:f3}; the reward may be hacked, look at the samples"));
        }
    }

    /// <summary>Compares a held-out evaluation with the first: an alarm when every reward rose and a metric that is never trained on fell by more than twice its standard error.</summary>
    public void Watch(long iteration, ScoreSheet scores, IReadOnlyList<string> rewards)
    {
        _first ??= scores;
        Score? fallen = scores.Means.FirstOrDefault(score => !rewards.Contains(score.Name) && !double.IsNaN(score.Error) && First(score) - score.Value > 2 * score.Error);
        if (_metric || fallen is null || !scores.Means.Where(score => rewards.Contains(score.Name)).All(score => score.Value > First(score)))
        {
            return;
        }

        _metric = true;
        _progress.Warning(string.Create(CultureInfo.InvariantCulture,
            $"iteration {iteration}: the rewards rose on held-out prompts while {fallen.Name} fell from {First(fallen):f3} to {fallen.Value:f3}; the reward may be hacked, look at the samples"));
        double First(Score score) => _first.Means.First(first => first.Name == score.Name).Value;
    }

    private static (double Reward, double Judge, double Diversity) Mean(IEnumerable<(double Reward, double Judge, double Diversity)> window) =>
        (window.Average(w => w.Reward), window.Average(w => w.Judge), window.Average(w => w.Diversity));
}
