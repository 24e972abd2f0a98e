namespace CoGrpo.Rl.Configuration;

/// <summary>One reward and its weight in the mix.</summary>
public sealed record RewardConfiguration
{
    /// <summary>Which reward.</summary>
    public RewardName Name { get; init; }

    /// <summary>Its weight.</summary>
    [Bounds(0, Above = true)]
    public double Weight { get; init; } = 1;

    /// <summary>
    /// Networks: the published file (.pt, .bin or safetensors) of the published architecture, or a folder with one such file and a <c>config.json</c>
    /// (open_clip's <c>open_clip_config.json</c> too) that says another.
    /// </summary>
    [InputPath]
    public string? Weights { get; init; }

    /// <summary>Pictures of one pass; changes memory and speed, never a score.</summary>
    [Bounds(1, 4096)]
    public int Batch { get; init; } = 16;

    /// <summary>Human Preference Score: which weights these are; files do not tell.</summary>
    public HpsVersionName Version { get; init; }

    /// <summary>
    /// Human Preference Score: resize pictures with antialiasing, as torchvision does from 0.17 on; without, as it did when the score was published.
    /// </summary>
    public bool Antialias { get; init; } = true;

    /// <summary>Remote reward: where its server is.</summary>
    public string? Url { get; init; }

    /// <summary>Remote reward: longest wait for an answer.</summary>
    [Bounds(0, 3600, Above = true)]
    public double TimeoutSeconds { get; init; } = 60;

    /// <summary>Remote reward: how often a request that failed is sent again.</summary>
    [Bounds(0, 100)]
    public int Retries { get; init; } = 3;
}
