namespace CoGrpo.Runtime.Sampling;

/// <summary>Sees every step as it is taken, for a recorder of features and raw actions. It must not change what it is shown.</summary>
public interface ISampleObserver
{
    /// <summary>Called once per step and micro-batch, after the schedule acted and before any code is drawn.</summary>
    void OnStep(in SampleStep step);
}

/// <summary>A step of a micro-batch of B images as an observer sees it. Valid during the call.</summary>
public readonly ref struct SampleStep
{
    /// <summary>t.</summary>
    public required int Step { get; init; }

    /// <summary>T.</summary>
    public required int Steps { get; init; }

    /// <summary>Index in the whole call of the micro-batch's first image.</summary>
    public required int FirstImage { get; init; }

    /// <summary>[B] global trajectory numbers.</summary>
    public required ReadOnlySpan<int> Trajectories { get; init; }

    /// <summary>Int32 [B,N] device tensor: V^t, before the step.</summary>
    public required Tensor Canvas { get; init; }

    /// <summary>[B,n,C] device tensor, or none when the schedule does not need features.</summary>
    public required Tensor Features { get; init; }

    /// <summary>[B] actions about to be used.</summary>
    public required ReadOnlySpan<ScheduleAction> Actions { get; init; }

    /// <summary>[B*4] raw actions of a learned schedule, else zero.</summary>
    public required ReadOnlySpan<double> RawActions { get; init; }

    /// <summary>[B*4] policy means of a learned schedule, else zero.</summary>
    public required ReadOnlySpan<double> Means { get; init; }

    /// <summary>[B] positions masked before the step.</summary>
    public required ReadOnlySpan<int> MaskedBefore { get; init; }

    /// <summary>[B] positions masked after the step.</summary>
    public required ReadOnlySpan<int> MaskedAfter { get; init; }
}
