using CoGrpo.Model.Schedule;
using CoGrpo.Rl.Configuration;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Optimization;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Rl.Training;

/// <summary>
/// The update of the schedule policy from sampled trajectories (specs/grpo.md 6.5): the Gaussian log-probability of the stored raw actions on
/// the stored features, the clipped objective, no gradient through the transformer.
/// </summary>
public sealed class SchedulePhase : IDisposable
{
    private const int MicroBatch = 64;

    private readonly SchedulePolicy _policy;
    private readonly SchedulePhaseConfiguration _configuration;
    private readonly double _deltaPenalty;
    private readonly LaneSet _lanes;
    private readonly SchedulePhaseLane[] _work;
    private readonly Action<int> _runLane;
    private Trajectories? _trajectories;
    private bool _onPolicy;
    private double _normalizer;

    /// <summary>The phase of <paramref name="lanes"/>' policy.</summary>
    public SchedulePhase(LaneSet lanes, SchedulePhaseConfiguration configuration, double deltaPenalty)
    {
        _policy = lanes.Setup.Policy;
        _configuration = configuration;
        _deltaPenalty = deltaPenalty;
        _lanes = lanes;
        var adam = new AdamWOptions(
            configuration.Betas[0],
            configuration.Betas[1],
            configuration.Epsilon,
            configuration.WeightDecay,
            configuration.GradClip
        );
        Optimizer = new AdamWOptimizer(_policy.Backend, adam, _policy.Parameters);
        Average = configuration.Ema > 0 ? new ParameterAverage(_policy.Backend, _policy.Parameters, configuration.Ema) : null;
        _work = new SchedulePhaseLane[lanes.Count];
        for (int i = 0; i < _work.Length; i++)
        {
            _work[i] = new SchedulePhaseLane(lanes.Lanes[i], configuration, lanes.Setup, MicroBatch);
        }

        _runLane = lane =>
        {
            (int first, int count) = _lanes.Range(lane, _trajectories!.Images, _configuration.Group);
            _work[lane].Run(_trajectories, first, count, _onPolicy, _normalizer, _deltaPenalty);
        };
    }

    /// <summary>The optimizer of the policy.</summary>
    public AdamWOptimizer Optimizer { get; }

    /// <summary>Averaged weights for evaluation, or null.</summary>
    public ParameterAverage? Average { get; }

    /// <summary>One optimizer step from <paramref name="trajectories"/>, whose advantages are set and whose features were recorded.</summary>
    /// <param name="trajectories">Sampled with exploration by the present policy, or before earlier updates of the same rollout.</param>
    /// <param name="update">0 for the first update of the rollout, where the ratio is 1 by construction and is checked.</param>
    /// <param name="validShare">Share of groups with signal; the loss is divided by it when the configuration says so.</param>
    /// <exception cref="InvalidOperationException">The first update does not reproduce the rollout's means.</exception>
    public PhaseMetrics Update(Trajectories trajectories, int update, double validShare)
    {
        PhaseMetrics metrics = Gradients(trajectories, update, validShare);
        double warmup = Math.Min(1, (Optimizer.Steps + 1.0) / Math.Max(1, _configuration.Warmup));
        metrics.GradientNorm = Optimizer.Step(_configuration.LearningRate * warmup, Average);
        metrics.LearningRate = _configuration.LearningRate * warmup;
        return metrics;
    }

    /// <summary>
    /// The first half of <see cref="Update"/>: adds the gradients of all lanes to those of the policy, which are zero between updates.
    /// </summary>
    /// <exception cref="InvalidOperationException">The first update does not reproduce the rollout's means.</exception>
    internal PhaseMetrics Gradients(Trajectories trajectories, int update, double validShare)
    {
        (_trajectories, _onPolicy) = (trajectories, update == 0);
        _normalizer = (double)trajectories.Images * trajectories.Steps * (_configuration.RescaleValidGroups && validShare > 0 ? validShare : 1);
        _lanes.Run(_runLane);
        var metrics = new PhaseMetrics { Objective = ObjectiveStatistics.Empty };
        foreach (SchedulePhaseLane lane in _work)
        {
            metrics.Add(lane.Metrics);
        }

        if (update == 0 && metrics.Objective.RolloutMismatch > 0)
        {
            throw new InvalidOperationException(
                $"ratio check, schedule phase: wanted policy means equal to the rollout's before the first update, got a log-ratio of {metrics.Objective.RolloutMismatch:g3}; " +
                "sampling and training disagree, which is a defect: report it with the run's config.json");
        }

        _lanes.SumGradients(lane => lane.Policy.Parameters, _policy.Parameters, _policy.Backend);
        return metrics;
    }

    /// <summary>Frees optimizer and average; lanes and policy stay.</summary>
    public void Dispose()
    {
        Optimizer.Dispose();
        Average?.Dispose();
    }
}
