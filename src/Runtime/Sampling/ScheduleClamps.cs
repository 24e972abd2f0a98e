namespace CoGrpo.Runtime.Sampling;

/// <summary>Which actions of a step were cut to their permitted range; for the clamp hit rates of a log.</summary>
[Flags]
public enum ScheduleClamps
{
    /// <summary>None was cut.</summary>
    None = 0,

    /// <summary>τ_s.</summary>
    SamplingTemperature = 1,

    /// <summary>τ_r.</summary>
    RemaskTemperature = 2,

    /// <summary>s.</summary>
    Guidance = 4,
}
