namespace CoGrpo.Runtime.Sampling;

/// <summary>A schedule that depends on the step alone; the same action for every image.</summary>
public sealed class HandMadeSchedule : ISchedule
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
    public bool NeedsFeatures => false;

    /// <inheritdoc/>
    public void Act(in ScheduleStep step, Tensor features, Span<ScheduleAction> actions) => actions.Fill(Settings.At(step.Step, step.Steps));
}
