namespace CoGrpo.Rl.Configuration;

/// <summary>The learned schedule: a small policy that shifts the hand-made one.</summary>
public sealed record ScheduleConfiguration
{
    /// <summary>What the first action means.</summary>
    public ScheduleMode Mode { get; init; }

    /// <summary>
    /// Standard deviation (not variance) of each raw action, in the order re-mask ratio, sampling temperature, re-mask temperature, guidance.
    /// </summary>
    [Count(4, 4), Bounds(0, 10, Above = true)]
    public IReadOnlyList<double> Sigma { get; init; } = [0.5, 0.4, 0.4, 0.4];

    /// <summary>Share of the previous step's value carried over, in pre-link space; 0 for none.</summary>
    [Bounds(0, 1, Below = true)]
    public double Smoothing { get; init; }

    /// <summary>The actions that learn; the others stay at the hand-made schedule.</summary>
    [Count(1, 4)]
    public IReadOnlyList<ScheduleActionName> Actions { get; init; } =
        [ScheduleActionName.RemaskRatio, ScheduleActionName.SamplingTemperature, ScheduleActionName.RemaskTemperature, ScheduleActionName.Guidance];

    /// <summary>Feature width d of the policy's size row: 64, 128, 256, 384, 512 or 1024, and equal to the model's width.</summary>
    [Bounds(64, 1024)]
    public int PolicyWidth { get; init; } = 128;

    /// <summary>Weight of the squared distance to the hand-made schedule.</summary>
    [Bounds(0)]
    public double DeltaPenalty { get; init; }

    /// <summary>Use the same token noise within a group in the schedule phase, so that rewards differ by schedule only.</summary>
    public bool CommonRandomNumbers { get; init; }
}
