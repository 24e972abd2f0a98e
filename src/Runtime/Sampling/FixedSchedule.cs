namespace CoGrpo.Runtime.Sampling;

/// <summary>A schedule that looks at no image: the action of a step is the same for every image and known before sampling starts.</summary>
public abstract class FixedSchedule : ISchedule
{
    private double[] _values = [];

    /// <inheritdoc/>
    public bool NeedsFeatures => false;

    /// <inheritdoc/>
    public int RecordingVersion => 0;

    /// <summary>The action at step <paramref name="step"/> of <paramref name="steps"/>; called once per step, in order, from step 0.</summary>
    /// <param name="step">t.</param>
    /// <param name="steps">T.</param>
    /// <param name="state">The state of every image before the step, moved on where the schedule has one.</param>
    /// <param name="raw">Four raw actions out; zero on entry.</param>
    public abstract ScheduleAction At(int step, int steps, ref ScheduleState state, Span<double> raw);

    /// <inheritdoc/>
    public virtual bool Guides(int step, int steps)
    {
        ScheduleState state = ScheduleState.Start;
        Span<double> raw = stackalloc double[ScheduleAction.Count];
        ScheduleAction action = default;
        for (int t = 0; t <= step; t++)
        {
            raw.Clear();
            action = At(t, steps, ref state, raw);
        }

        return action.IsGuided;
    }

    /// <inheritdoc/>
    public void Begin(in ScheduleCall call)
    {
        const int Count = ScheduleAction.Count;
        int size = call.Steps * call.Images * Count;
        if (_values.Length < 2 * size)
        {
            _values = new double[2 * size];
        }

        Span<double> actions = _values.AsSpan(0, size);
        Span<double> raws = _values.AsSpan(size, size);
        raws.Clear();
        ScheduleState state = ScheduleState.Start;
        Span<double> raw = stackalloc double[Count];
        for (int t = 0; t < call.Steps; t++)
        {
            raw.Clear();
            ScheduleAction action = At(t, call.Steps, ref state, raw);
            for (int b = 0; b < call.Images; b++)
            {
                int at = ((t * call.Images) + b) * Count;
                raw.CopyTo(raws[at..]);
                for (int k = 0; k < Count; k++)
                {
                    actions[at + k] = action.Component(k);
                }
            }
        }

        call.Backend.Upload<double>(actions, call.Actions);
        call.Backend.Upload<double>(raws, call.RawActions);
        call.Backend.Upload<double>(raws, call.Means);
    }

    /// <inheritdoc/>
    public void Act(in ScheduleStep step)
    {
    }
}
