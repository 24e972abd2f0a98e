namespace CoGrpo.Rl.Configuration;

/// <summary>Evaluation on held-out prompts, with mean actions.</summary>
public sealed record EvaluationConfiguration
{
    /// <summary>Iterations between two evaluations; 0 for one before and one after training.</summary>
    [Bounds(0)]
    public int Every { get; init; }

    /// <summary>Prompts drawn per task; of a list of prompts, which has no tasks, in all.</summary>
    [Bounds(1)]
    public int PromptsPerTask { get; init; } = 16;

    /// <summary>Samples per prompt.</summary>
    [Bounds(1)]
    public int Samples { get; init; } = 8;

    /// <summary>The step counts evaluated.</summary>
    [Count(1, 64), Bounds(1, 4096)]
    public IReadOnlyList<int> Steps { get; init; } = [8];

    /// <summary>Scores told beside the rewards and never trained on; with data.name prompts only.</summary>
    [Count(0, 16)]
    public IReadOnlyList<RewardConfiguration> Metrics { get; init; } = [];

    /// <summary>Seed of prompts and noise, apart from the run's seed so that runs are comparable.</summary>
    [Bounds(0)]
    public long Seed { get; init; } = 1;
}
