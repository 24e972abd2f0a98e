namespace CoGrpo.Rl.Configuration;

/// <summary>Prompts and, for pre-training, pictures.</summary>
public sealed record DataConfiguration
{
    /// <summary>Which data.</summary>
    public DataName Name { get; init; }

    /// <summary>EmojiScenes: cells per side, 2 (64 codes per picture) or 3 (144 codes).</summary>
    [Bounds(2, 3)]
    public int Grid { get; init; } = 2;

    /// <summary>Prompts: a text file with one prompt per line. Null for EmojiScenes, which makes its own.</summary>
    [InputPath]
    public string? PromptFile { get; init; }
}
