namespace CoGrpo.Rl.Configuration;

/// <summary>How pictures are sampled.</summary>
public sealed record SamplingConfiguration
{
    /// <summary>T, the number of steps; each decodes at least one position.</summary>
    [Bounds(1, 4096)]
    public int Steps { get; init; } = 8;

    /// <summary>The schedule without learning, and where learning starts.</summary>
    public HandMadeConfiguration HandMade { get; init; } = new();

    /// <summary>Trajectories per forward pass; changes memory and speed, never the result.</summary>
    [Bounds(1, 65536)]
    public int MicroBatch { get; init; } = 16;
}
