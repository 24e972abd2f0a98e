namespace CoGrpo.Rl.Configuration;

/// <summary>What the transformer is told about time.</summary>
public enum TimeName
{
    /// <summary>The share of positions that are masked: does not depend on the number of steps.</summary>
    MaskedFraction,

    /// <summary>The steps left after this one, as the published pipeline tells its weights.</summary>
    StepCounter,
}
