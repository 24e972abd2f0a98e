namespace CoGrpo.Rl.Configuration;

/// <summary>The two readings of the re-mask action.</summary>
public enum ScheduleMode
{
    /// <summary>The share of the masked positions that stays masked in this step; recommended above 16 steps.</summary>
    Relative,

    /// <summary>The share of all positions that is masked after this step, as published.</summary>
    Absolute,
}
