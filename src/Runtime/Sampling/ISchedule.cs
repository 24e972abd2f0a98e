using CoGrpo.Runtime.Backends;

namespace CoGrpo.Runtime.Sampling;

/// <summary>
/// Chooses the actions of every step: by hand, or by a learned policy. Must treat each image by itself: the batch split may not change an action.
/// </summary>
public interface ISchedule
{
    /// <summary>Whether <see cref="Act"/> wants the model's visual features.</summary>
    bool NeedsFeatures { get; }

    /// <summary>
    /// Changes whenever <see cref="Act"/> would use other addresses than before, so that recorded work is not used again;
    /// <see cref="IRecording.Never"/> if it needs the host. Read after <see cref="Begin"/>.
    /// </summary>
    int RecordingVersion { get; }

    /// <summary>
    /// Whether an image may have s other than 1 at step <paramref name="step"/> of <paramref name="steps"/>: without, no unconditional pass is made.
    /// </summary>
    bool Guides(int step, int steps);

    /// <summary>Called before the steps of each micro-batch: the place for host work and uploads.</summary>
    void Begin(in ScheduleCall call);

    /// <summary>
    /// Writes the action of every image. Queues device work alone, at the same addresses in every call of the same sizes, and reads no host value
    /// that <see cref="Begin"/> may change.
    /// </summary>
    void Act(in ScheduleStep step);
}

/// <summary>A micro-batch of B images about to go through T steps.</summary>
public readonly ref struct ScheduleCall
{
    /// <summary>The device.</summary>
    public required IBackend Backend { get; init; }

    /// <summary>T.</summary>
    public required int Steps { get; init; }

    /// <summary>B.</summary>
    public required int Images { get; init; }

    /// <summary>
    /// Index in the whole call of the micro-batch's first image: addresses exploration noise, so that a batch split changes nothing.
    /// </summary>
    public required int FirstImage { get; init; }

    /// <summary>Float64 [T,B,4] actions r, τ_s, τ_r, s: filled in here or step by step.</summary>
    public required Tensor Actions { get; init; }

    /// <summary>Float64 [T,B,4] raw actions; zero for a schedule that has none.</summary>
    public required Tensor RawActions { get; init; }

    /// <summary>Float64 [T,B,4] policy means; zero for a schedule that has none.</summary>
    public required Tensor Means { get; init; }
}

/// <summary>One step of a micro-batch of B images. All tensors are device memory.</summary>
public readonly record struct ScheduleStep
{
    /// <summary>t.</summary>
    public required int Step { get; init; }

    /// <summary>T.</summary>
    public required int Steps { get; init; }

    /// <summary>
    /// [B,n,C] last-block features of the conditional pass on the current canvas; none unless <see cref="ISchedule.NeedsFeatures"/>.
    /// </summary>
    public required Tensor Features { get; init; }

    /// <summary>Float64 [B,4] out, unless <see cref="ISchedule.Begin"/> has filled it in.</summary>
    public required Tensor Actions { get; init; }

    /// <summary>Float64 [B,4] out, likewise.</summary>
    public required Tensor RawActions { get; init; }

    /// <summary>Float64 [B,4] out, likewise.</summary>
    public required Tensor Means { get; init; }
}
