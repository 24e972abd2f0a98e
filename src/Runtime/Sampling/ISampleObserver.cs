using CoGrpo.Runtime.Backends;

namespace CoGrpo.Runtime.Sampling;

/// <summary>Keeps what it wants of every step in device memory, for a recorder of features. It must not change what it is shown.</summary>
public interface ISampleObserver
{
    /// <summary>
    /// Changes whenever <see cref="OnStep"/> would use other addresses than before, so that recorded work is not used again;
    /// <see cref="IRecording.Never"/> if it needs the host.
    /// </summary>
    int RecordingVersion { get; }

    /// <summary>
    /// Called once per step and micro-batch, after the schedule acted and before any code is drawn. Queues device work alone, at the same addresses
    /// in every call of the same sizes; recorded work repeats it without calling.
    /// </summary>
    void OnStep(in SampleStep step);

    /// <summary>Called when the steps of a micro-batch are queued: images [first, first + count) of the call.</summary>
    void OnImages(int first, int count, int steps);

    /// <summary>Called when what was drawn in a micro-batch is in the record of the call: images [first, first + count).</summary>
    void OnStored(int first, int count)
    {
    }
}

/// <summary>A step of a micro-batch of B images as an observer sees it, all of it in device memory.</summary>
public readonly record struct SampleStep
{
    /// <summary>t.</summary>
    public required int Step { get; init; }

    /// <summary>T.</summary>
    public required int Steps { get; init; }

    /// <summary>Int32 [B,N]: V^t, before the step.</summary>
    public required Tensor Canvas { get; init; }

    /// <summary>[B,n,C], or none when the schedule does not need features.</summary>
    public required Tensor Features { get; init; }

    /// <summary>Float64 [B,4] actions about to be used.</summary>
    public required Tensor Actions { get; init; }
}
