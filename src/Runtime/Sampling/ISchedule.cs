namespace CoGrpo.Runtime.Sampling;

/// <summary>Chooses the actions of every step: by hand, or by a learned policy. Must treat each image by itself: the batch split may not change an action.</summary>
public interface ISchedule
{
    /// <summary>Whether <see cref="Act"/> wants the model's visual features.</summary>
    bool NeedsFeatures { get; }

    /// <summary>Writes the action of every image of the micro-batch.</summary>
    /// <param name="step">Step, trajectory numbers and per-image state.</param>
    /// <param name="features">[B,n,C] last-block features of the conditional pass on the current canvas; none unless <see cref="NeedsFeatures"/>.</param>
    /// <param name="actions">[B] out.</param>
    void Act(in ScheduleStep step, Tensor features, Span<ScheduleAction> actions);
}
