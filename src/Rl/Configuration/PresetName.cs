namespace CoGrpo.Rl.Configuration;

/// <summary>The named sets of defaults.</summary>
public enum PresetName
{
    /// <summary>The quick start: small pictures of emoji, 8 steps, minutes on two cores.</summary>
    [Key("emoji-scenes")]
    EmojiScenes,

    /// <summary>The published setting of Co-GRPO on Meissonic: 48 steps, 300 model and 200 schedule iterations in three cycles.</summary>
    [Key("paper")]
    Paper,
}
