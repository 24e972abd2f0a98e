namespace CoGrpo.Rl.Configuration;

/// <summary>
/// One cycle: so many iterations of each phase. In mode <c>joint</c> both numbers are the same and count iterations that train both.
/// </summary>
public sealed record CycleConfiguration
{
    /// <summary>Iterations of the model's phase.</summary>
    [Bounds(0)]
    public int Model { get; init; }

    /// <summary>Iterations of the schedule's phase.</summary>
    [Bounds(0)]
    public int Schedule { get; init; }
}
