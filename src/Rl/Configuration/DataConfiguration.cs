namespace CoGrpo.Rl.Configuration;

/// <summary>Prompts and, for pre-training, pictures.</summary>
public sealed record DataConfiguration
{
    /// <summary>Which data.</summary>
    public DataName Name { get; init; }

    /// <summary>EmojiScenes: cells per side, 2 (64 codes per picture) or 3 (144 codes).</summary>
    [Bounds(2, 3)]
    public int Grid { get; init; } = 2;

    /// <summary>
    /// Prompts: files of them (text with one per line, JSON, JSON lines, Parquet), taken together; repetitions count once. Empty for EmojiScenes,
    /// which makes its own.
    /// </summary>
    [InputPath]
    public IReadOnlyList<string> PromptFiles { get; init; } = [];

    /// <summary>Prompts: files of those to evaluate on and never to train on. Without, one in 64 of the others.</summary>
    [InputPath]
    public IReadOnlyList<string> HeldOutFiles { get; init; } = [];
}
