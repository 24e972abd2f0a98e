namespace CoGrpo.Rl.Configuration;

/// <summary>How actions are taken from the schedule policy's Gaussian.</summary>
public enum ActionChoice
{
    /// <summary>Its mean, as at evaluation.</summary>
    Mean,

    /// <summary>A draw.</summary>
    Sample,
}
