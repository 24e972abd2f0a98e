namespace CoGrpo.Runtime.Sampling;

/// <summary>What a schedule is told about a step of a micro-batch of B images, and where it leaves what a recorder wants to see. Valid during the call.</summary>
public readonly ref struct ScheduleStep
{
    /// <summary>t.</summary>
    public required int Step { get; init; }

    /// <summary>T.</summary>
    public required int Steps { get; init; }

    /// <summary>Index in the whole call of the micro-batch's first image.</summary>
    public required int FirstImage { get; init; }

    /// <summary>Global trajectory number of each image [B]; addresses exploration noise, so that a batch split changes nothing.</summary>
    public required ReadOnlySpan<int> Trajectories { get; init; }

    /// <summary>State of each image [B], <see cref="ScheduleState.Start"/> at step 0; the schedule may update it.</summary>
    public required Span<ScheduleState> States { get; init; }

    /// <summary>[B*4] raw actions, zero unless a learned schedule writes them.</summary>
    public required Span<double> RawActions { get; init; }

    /// <summary>[B*4] policy means η the raw actions were drawn around, zero unless a learned schedule writes them.</summary>
    public required Span<double> Means { get; init; }
}
