namespace CoGrpo.Rl.Configuration;

/// <summary>One reward and its weight in the mix.</summary>
public sealed record RewardConfiguration
{
    /// <summary>Which reward.</summary>
    public RewardName Name { get; init; }

    /// <summary>Its weight.</summary>
    [Bounds(0, Above = true)]
    public double Weight { get; init; } = 1;
}
