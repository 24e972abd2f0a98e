namespace CoGrpo.Rl.Configuration;

/// <summary>How several rewards become one advantage.</summary>
public enum RewardMix
{
    /// <summary>Each reward is normalised within its group, then the weighted advantages are added.</summary>
    Advantages,

    /// <summary>The weighted rewards are added, then the sum is normalised.</summary>
    Sums,
}
