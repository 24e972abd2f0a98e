namespace CoGrpo.Rl.Configuration;

/// <summary>Relative frequencies of the six tasks of EmojiScenes; at least one is above 0.</summary>
public sealed record TaskWeights
{
    /// <summary>"a dog".</summary>
    [Bounds(0)]
    public double Single { get; init; } = 1;

    /// <summary>"a dog and a cat".</summary>
    [Bounds(0)]
    public double Two { get; init; } = 1;

    /// <summary>"three keys".</summary>
    [Bounds(0)]
    public double Counting { get; init; } = 1;

    /// <summary>"a red heart".</summary>
    [Bounds(0)]
    public double Colours { get; init; } = 1;

    /// <summary>"a dog left of a cat".</summary>
    [Bounds(0)]
    public double Position { get; init; } = 1;

    /// <summary>"a red heart and a blue square".</summary>
    [Bounds(0)]
    public double Attribution { get; init; } = 1;
}
