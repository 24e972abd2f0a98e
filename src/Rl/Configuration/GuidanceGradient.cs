namespace CoGrpo.Rl.Configuration;

/// <summary>How guidance enters the gradient of the model's log-probabilities.</summary>
public enum GuidanceGradient
{
    /// <summary>Exactly: through the conditional and the unconditional pass.</summary>
    Both,

    /// <summary>Through the conditional pass only.</summary>
    DetachUncond,

    /// <summary>Log-probabilities without guidance; not the law that was sampled from, for comparison only.</summary>
    None,
}
