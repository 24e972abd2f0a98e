namespace CoGrpo.Runtime.Sampling;

/// <summary>
/// What a learned schedule carries from step to step of one image: the running r of relative mode and the smoothed deviation of the four
/// pre-link values from the hand-made schedule. The real-valued r is carried, not the integer count, so that rounding never accumulates.
/// </summary>
public struct ScheduleState
{
    /// <summary>The state before step 0: r = 1, no deviation. Not the default value.</summary>
    public static ScheduleState Start => new() { Remask = 1 };

    /// <summary>r after the last step taken; 1 before the first.</summary>
    public double Remask { get; set; }

    internal double DeviationRemask { get; set; }

    internal double DeviationSampling { get; set; }

    internal double DeviationRemaskTemperature { get; set; }

    internal double DeviationGuidance { get; set; }
}
