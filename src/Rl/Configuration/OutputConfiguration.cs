namespace CoGrpo.Rl.Configuration;

/// <summary>Where results go.</summary>
public sealed record OutputConfiguration
{
    /// <summary>The run folder; relative to the folder the program was started in.</summary>
    public string Directory { get; init; } = "runs/emoji-scenes";
}
