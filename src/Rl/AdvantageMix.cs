namespace CoGrpo.Rl;

/// <summary>Where several rewards are brought together.</summary>
public enum AdvantageMix
{
    /// <summary>
    /// Each reward is normalised within its group, then the advantages are weighted and summed: weights mean what they say at any reward scale.
    /// </summary>
    Advantages,

    /// <summary>Rewards are weighted and summed, then the sum is normalised: the reward of widest spread dominates.</summary>
    Sums,
}
