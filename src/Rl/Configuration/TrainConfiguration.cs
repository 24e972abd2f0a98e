namespace CoGrpo.Rl.Configuration;

/// <summary>Reinforcement learning of the model, of the schedule, or of both.</summary>
public sealed record TrainConfiguration
{
    /// <summary>Who learns.</summary>
    public TrainMode Mode { get; init; }

    /// <summary>The phases in order; in each cycle the model's iterations come first.</summary>
    [Count(1, 1000)]
    public IReadOnlyList<CycleConfiguration> Cycles { get; init; } = [new() { Model = 0, Schedule = 20 }, new() { Model = 12, Schedule = 12 }];

    /// <summary>The model's phase.</summary>
    public ModelPhaseConfiguration Model { get; init; } = new();

    /// <summary>The schedule's phase.</summary>
    public SchedulePhaseConfiguration Schedule { get; init; } = new();

    /// <summary>What is maximised.</summary>
    [Count(1, 16)]
    public IReadOnlyList<RewardConfiguration> Rewards { get; init; } =
        [new() { Name = RewardName.Adherence, Weight = 0.5 }, new() { Name = RewardName.Fidelity, Weight = 0.5 }];

    /// <summary>How several rewards become one advantage.</summary>
    public RewardMix RewardMix { get; init; }

    /// <summary>
    /// GB (10^9 bytes) of device memory that the run may take, or 0 for no limit. Where its plan needs more, sampling.microBatch and
    /// train.model.microBatch are lowered and train.model.recomputeBlocks is set until it fits, which changes pictures and gradients by rounding at
    /// most.
    /// </summary>
    [Bounds(0, 1e6)]
    public double Memory { get; init; }

    /// <summary>Held-out evaluation.</summary>
    public EvaluationConfiguration Evaluation { get; init; } = new();

    /// <summary>Iterations between two checkpoints.</summary>
    [Bounds(1)]
    public int CheckpointEvery { get; init; } = 5;

    /// <summary>Number of checkpoints kept.</summary>
    [Bounds(1)]
    public int KeepCheckpoints { get; init; } = 2;
}
