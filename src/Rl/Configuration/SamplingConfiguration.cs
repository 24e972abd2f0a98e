namespace CoGrpo.Rl.Configuration;

/// <summary>How pictures are sampled.</summary>
public sealed record SamplingConfiguration
{
    /// <summary>T, the number of steps; each decodes at least one position.</summary>
    [Bounds(1, 4096)]
    public int Steps { get; init; } = 8;

    /// <summary>The schedule without learning, and where learning starts.</summary>
    public HandMadeConfiguration HandMade { get; init; } = new();

    /// <summary>
    /// Pixels in a row of a picture. Without it 1024 for a model that halves its grid, else 512; EmojiScenes has a size of its own.
    /// </summary>
    [Bounds(0, 8192), ZeroIs("auto")]
    public int Width { get; init; }

    /// <summary>Rows of a picture, likewise.</summary>
    [Bounds(0, 8192), ZeroIs("auto")]
    public int Height { get; init; }

    /// <summary>Trajectories per forward pass; changes memory and speed, never the result.</summary>
    [Bounds(1, 65536)]
    public int MicroBatch { get; init; } = 16;
}
