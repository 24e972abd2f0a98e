namespace CoGrpo.Rl.Configuration;

/// <summary>The four actions of the schedule policy, in its output order.</summary>
public enum ScheduleActionName
{
    /// <summary>r, how much stays masked.</summary>
    RemaskRatio,

    /// <summary>tau_s, temperature of the token draw.</summary>
    SamplingTemperature,

    /// <summary>tau_r, temperature of the confidence noise.</summary>
    RemaskTemperature,

    /// <summary>s, the guidance scale.</summary>
    Guidance,
}
