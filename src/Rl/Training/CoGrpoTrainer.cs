using System.Diagnostics;
using CoGrpo.Model.Tokenizers;
using CoGrpo.Rl.Configuration;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Randomness;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Rl.Training;

/// <summary>
/// Co-GRPO (specs/grpo.md 6): model and schedule are two policies of one decision process, trained in alternation on the same group-relative
/// advantage of whole trajectories. One call of <see cref="Train"/> is one iteration of the plan: rollout, rewards, advantages, update.
/// </summary>
public sealed class CoGrpoTrainer : IDisposable
{
    private readonly TrainConfiguration _train;
    private readonly ScheduleConfiguration _schedule;
    private readonly LaneSet _lanes;
    private readonly IBackend _backend;
    private readonly IPromptSource _prompts;
    private readonly IReadOnlyList<IReward> _rewards;
    private readonly IRolloutWatch? _watch;
    private readonly IImageTokenizer _tokenizer;
    private readonly PromptTable _table;
    private readonly HandMadeSchedule _handMade;
    private readonly int _steps;
    private readonly ulong _seed;
    private readonly IterationMetrics _metrics;
    private readonly Advantages _modelAdvantages;
    private readonly Advantages _scheduleAdvantages;
    private Rollout? _modelRollout;
    private Rollout? _scheduleRollout;

    /// <summary>A trainer over <paramref name="lanes"/>; everything passed in stays the caller's.</summary>
    /// <param name="configuration">The resolved run configuration.</param>
    /// <param name="lanes">Replicas of model and policy.</param>
    /// <param name="prompts">Training prompts.</param>
    /// <param name="rewards">In the order of the configuration.</param>
    /// <param name="tokenizer">Codes to pictures, for rewards that look at pixels.</param>
    /// <param name="watch">Measures never trained on, or null.</param>
    public CoGrpoTrainer(
        RunConfiguration configuration,
        LaneSet lanes,
        IPromptSource prompts,
        IReadOnlyList<IReward> rewards,
        IImageTokenizer tokenizer,
        IRolloutWatch? watch
    )
    {
        _train = configuration.Train;
        _schedule = configuration.Schedule;
        _lanes = lanes;
        _backend = lanes.Setup.Model.Backend;
        _prompts = prompts;
        _rewards = rewards;
        _tokenizer = tokenizer;
        _watch = watch;
        _table = new PromptTable(prompts);
        _steps = configuration.Sampling.Steps;
        _seed = (ulong)configuration.Seed;
        _handMade = new HandMadeSchedule(RunFactory.HandMade(configuration.Sampling.HandMade));
        Plan = TrainingPlan.Of(_train);
        Model = new ModelPhase(lanes, _train.Model);
        Schedule = new SchedulePhase(lanes, _train.Schedule, _schedule.DeltaPenalty);
        _modelAdvantages = MakeAdvantages(_train.Model.AdvantageStdEps);
        _scheduleAdvantages = MakeAdvantages(_train.Schedule.AdvantageStdEps);
        _metrics = new IterationMetrics([.. rewards.Select(r => r.Name)], _steps);
    }

    /// <summary>The phase of every iteration.</summary>
    public IReadOnlyList<Phase> Plan { get; }

    /// <summary>Iterations made; set when a run is resumed.</summary>
    public int Iteration { get; set; }

    /// <summary>The model's updates.</summary>
    public ModelPhase Model { get; }

    /// <summary>The schedule's updates.</summary>
    public SchedulePhase Schedule { get; }

    /// <summary>Called with every rollout before it is scored: a plan writes here what its backend does not compute.</summary>
    internal Action<Trajectories>? Sampled { get; init; }

    /// <summary>Makes the next iteration of the plan. The returned object is reused by the next call.</summary>
    /// <remarks>Interrupted, or failed by a reward, it has updated nothing: the next call makes the same iteration.</remarks>
    /// <param name="cancellation">Ends the scoring of pictures.</param>
    /// <exception cref="InvalidOperationException">The plan is done, or the ratio check failed.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public IterationMetrics Train(CancellationToken cancellation = default)
    {
        if (Iteration >= Plan.Count)
        {
            throw new InvalidOperationException($"the plan of {Plan.Count} iterations is done; add cycles to the configuration to train on");
        }

        Phase phase = Plan[Iteration];
        bool schedulePhase = phase == Phase.Schedule;
        int batch = schedulePhase ? _train.Schedule.Batch : _train.Model.Batch;
        int group = schedulePhase ? _train.Schedule.Group : _train.Model.Group;
        bool explore = phase != Phase.Model || _train.Model.ActionsInModelPhase == ActionChoice.Sample;
        ref Rollout? slot = ref schedulePhase ? ref _scheduleRollout : ref _modelRollout;
        slot ??= new Rollout(_backend, batch, group, _lanes.Codes, _steps, phase == Phase.Model ? default : FeatureShape(), _rewards.Count);
        Rollout rollout = slot;

        long start = Stopwatch.GetTimestamp();
        DrawPrompts(rollout);
        long firstTrajectory = (long)Iteration * Math.Max(_train.Schedule.Batch, _train.Model.Batch);
        ISchedule? fixedSchedule = _train.Mode == TrainMode.Naive ? _handMade : null;
        long sampled;
        double validShare;
        try
        {
            _lanes.Sample(rollout.Trajectories, fixedSchedule, explore && fixedSchedule is null ? _seed : null, _seed, firstTrajectory, group,
                schedulePhase && _schedule.CommonRandomNumbers, rollout.SendAhead(_rewards, _tokenizer, cancellation));
            Sampled?.Invoke(rollout.Trajectories);
            sampled = Stopwatch.GetTimestamp();
            validShare = rollout.Score(_rewards, _tokenizer, schedulePhase ? _scheduleAdvantages : _modelAdvantages, _metrics, cancellation);
        }
        finally
        {
            rollout.EndSent();
        }

        (_metrics.Judge, _metrics.Diversity) = _watch?.Watch(rollout.Prompts, rollout.Codes, group) ?? (double.NaN, double.NaN);
        long scored = Stopwatch.GetTimestamp();

        _metrics.Model = null;
        _metrics.Schedule = null;
        if (phase != Phase.Schedule)
        {
            for (int update = 0; update < _train.Model.UpdatesPerRollout; update++)
            {
                _metrics.Model = Model.Update(rollout.Trajectories, update, _seed, Iteration, validShare);
            }
        }

        if (phase != Phase.Model)
        {
            for (int update = 0; update < _train.Schedule.UpdatesPerRollout; update++)
            {
                _metrics.Schedule = Schedule.Update(rollout.Trajectories, update, validShare);
            }
        }

        long updated = Stopwatch.GetTimestamp();
        Iteration++;
        Measure(rollout, phase);
        _metrics.RolloutSeconds = Stopwatch.GetElapsedTime(start, sampled).TotalSeconds;
        _metrics.RewardSeconds = Stopwatch.GetElapsedTime(sampled, scored).TotalSeconds;
        _metrics.UpdateSeconds = Stopwatch.GetElapsedTime(scored, updated).TotalSeconds;
        return _metrics;
    }

    /// <summary>Frees optimizers and rollouts.</summary>
    public void Dispose()
    {
        Model.Dispose();
        Schedule.Dispose();
        _modelRollout?.Dispose();
        _scheduleRollout?.Dispose();
    }

    private Shape FeatureShape()
    {
        int side = _lanes.Setup.Policy.Config.PooledGrid;
        return new Shape(side * side, _lanes.Setup.Policy.Config.FeatureDim);
    }

    private void DrawPrompts(Rollout rollout)
    {
        var random = new RandomSequence(_seed, RandomStream.Prompts, (ulong)Iteration);
        int groups = rollout.Trajectories.Images / rollout.Group;
        for (int p = 0; p < groups; p++)
        {
            IPrompt prompt = _prompts.Draw(ref random);
            rollout.GroupPrompts[p] = prompt;
            rollout.Prompts.AsSpan(p * rollout.Group, rollout.Group).Fill(prompt);
            rollout.Trajectories.Prompts.AsSpan(p * rollout.Group, rollout.Group).Fill(p + 1);
        }

        _table.Set(rollout.GroupPrompts);
        _lanes.SetPrompts(_table.Ids);
    }

    private Advantages MakeAdvantages(double epsilon)
    {
        return new Advantages(new AdvantageSettings
        {
            Weights = [.. _train.Rewards.Select(r => r.Weight)],
            Epsilons = [.. _train.Rewards.Select(_ => epsilon)],
            SumEpsilon = epsilon,
            Mix = _train.RewardMix == RewardMix.Sums ? AdvantageMix.Sums : AdvantageMix.Advantages,
        });
    }

    private void Measure(Rollout rollout, Phase phase)
    {
        Trajectories trajectories = rollout.Trajectories;
        int images = trajectories.Images;
        _metrics.Iteration = Iteration;
        _metrics.Phase = phase;
        _metrics.ReservedBytes = _lanes.ReservedBytes;
        _metrics.NonFiniteSteps = Model.Optimizer.NonFiniteSteps + Schedule.Optimizer.NonFiniteSteps;
        _metrics.ClampRate = (double)_lanes.ClampHits / ((long)images * _steps);
        for (int t = 0; t < _steps; t++)
        {
            double decoded = 0;
            for (int b = 0; b < images; b++)
            {
                int after = t == _steps - 1 ? 0 : trajectories.MaskedBefore[(b * _steps) + t + 1];
                decoded += trajectories.MaskedBefore[(b * _steps) + t] - after;
            }

            _metrics.DecodedMean[t] = decoded / images;
            for (int k = 0; k < ScheduleAction.Count; k++)
            {
                double sum = 0;
                double squares = 0;
                for (int b = 0; b < images; b++)
                {
                    double value = trajectories.Actions[(b * _steps) + t].Component(k);
                    sum += value;
                    squares += value * value;
                }

                double mean = sum / images;
                _metrics.ActionMean[(t * ScheduleAction.Count) + k] = mean;
                _metrics.ActionDeviation[(t * ScheduleAction.Count) + k] = Math.Sqrt(Math.Max(0, (squares / images) - (mean * mean)));
            }
        }

        double delta = 0;
        foreach (double mean in trajectories.Means)
        {
            delta += mean * mean;
        }

        _metrics.DeltaNorm = Math.Sqrt(delta / trajectories.Means.Length);
        _metrics.ForwardEquivalents = IterationCost.ForwardEquivalents(_train, _steps, phase, trajectories.Actions[0].IsGuided);
    }
}
