namespace CoGrpo.Runtime.Sampling;

/// <summary>A schedule that depends on the step alone; the same action for every image.</summary>
public sealed class HandMadeSchedule : FixedSchedule
{
    /// <summary>A schedule with the given numbers.</summary>
    /// <exception cref="ArgumentException">A number is out of range.</exception>
    public HandMadeSchedule(HandMadeSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        settings.Validate();
        Settings = settings;
    }

    /// <summary>The numbers it was made from.</summary>
    public HandMadeSettings Settings { get; }

    /// <inheritdoc/>
    public override bool Guides(int step, int steps) => Settings.At(step, steps).IsGuided;

    /// <inheritdoc/>
    public override ScheduleAction At(int step, int steps, ref ScheduleState state, Span<double> raw) => Settings.At(step, steps);
}
