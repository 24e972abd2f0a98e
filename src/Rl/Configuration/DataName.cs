namespace CoGrpo.Rl.Configuration;

/// <summary>The sources of prompts.</summary>
public enum DataName
{
    /// <summary>Composed pictures of emoji with prompts, facts and rewards of their own.</summary>
    [Key("emoji-scenes")]
    EmojiScenes,

    /// <summary>Prompts from a text file, judged by reward models.</summary>
    [Key("prompts")]
    Prompts,
}
