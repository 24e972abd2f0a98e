namespace CoGrpo.Runtime.Sampling;

/// <summary>
/// One step of the action space of a learned schedule as plain numbers, so that it can run where the actions are: residuals, smoothing,
/// clamps. Made by <see cref="ScheduleParametrization.Link"/>; all in fp64 (specs/schedule-policy.md 6).
/// </summary>
public readonly record struct ScheduleLink
{
    /// <summary>Residual R of r (or of its factor in relative mode).</summary>
    public required double ResidualRemask { get; init; }

    /// <summary>Residual of τ_s.</summary>
    public required double ResidualSampling { get; init; }

    /// <summary>Residual of τ_r.</summary>
    public required double ResidualRemaskTemperature { get; init; }

    /// <summary>Residual of s.</summary>
    public required double ResidualGuidance { get; init; }

    /// <summary>λ.</summary>
    public required double Smoothing { get; init; }

    /// <summary>Smallest τ_s used.</summary>
    public required double MinSampling { get; init; }

    /// <summary>Largest τ_s used.</summary>
    public required double MaxSampling { get; init; }

    /// <summary>Largest τ_r used.</summary>
    public required double MaxRemaskTemperature { get; init; }

    /// <summary>Smallest s used.</summary>
    public required double MinGuidance { get; init; }

    /// <summary>Largest s used.</summary>
    public required double MaxGuidance { get; init; }

    /// <summary>Whether r is the factor r_t/r_(t-1).</summary>
    public required bool Relative { get; init; }

    /// <summary>Whether this is step 0, where the deviation is taken whole.</summary>
    public required bool First { get; init; }

    /// <summary>Whether this is step T-1, where r is 0.</summary>
    public required bool Last { get; init; }

    /// <summary>
    /// The action for a raw action; moves <paramref name="state"/> on. Values that are not numbers stay so: check
    /// <see cref="ScheduleAction.IsValid"/>.
    /// </summary>
    /// <param name="state">The image's state before the step.</param>
    /// <param name="raw">Four numbers.</param>
    /// <param name="clamps">Actions that were cut to their range.</param>
    public ScheduleAction Apply(ref ScheduleState state, ReadOnlySpan<double> raw, out ScheduleClamps clamps)
    {
        state.DeviationRemask = Smooth(state.DeviationRemask, raw[0]);
        state.DeviationSampling = Smooth(state.DeviationSampling, raw[1]);
        state.DeviationRemaskTemperature = Smooth(state.DeviationRemaskTemperature, raw[2]);
        state.DeviationGuidance = Smooth(state.DeviationGuidance, raw[3]);
        double remask = ScheduleLinks.Sigmoid(ResidualRemask + state.DeviationRemask);
        if (Relative)
        {
            remask *= state.Remask;
        }

        state.Remask = Last ? 0 : remask;
        double sampling = ScheduleLinks.Softplus(ResidualSampling + state.DeviationSampling);
        double remaskTemperature = ScheduleLinks.Softplus(ResidualRemaskTemperature + state.DeviationRemaskTemperature);
        double guidance = ScheduleLinks.OnePlusExp(ResidualGuidance + state.DeviationGuidance);
        var used = new ScheduleAction(state.Remask, Math.Clamp(sampling, MinSampling, MaxSampling), Math.Min(remaskTemperature, MaxRemaskTemperature),
            Math.Clamp(guidance, MinGuidance, MaxGuidance));
        clamps = (used.SamplingTemperature != sampling ? ScheduleClamps.SamplingTemperature : 0)
            | (used.RemaskTemperature != remaskTemperature ? ScheduleClamps.RemaskTemperature : 0)
            | (used.Guidance != guidance ? ScheduleClamps.Guidance : 0);
        return used;
    }

    // The deviation from R is smoothed rather than R + a itself: algebraically the same, and zero actions stay exactly zero. The first
    // step has nothing before it and is taken whole.
    private double Smooth(double previous, double raw) => First ? raw : (Smoothing * previous) + ((1 - Smoothing) * raw);
}
