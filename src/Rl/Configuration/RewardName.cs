namespace CoGrpo.Rl.Configuration;

/// <summary>The known rewards.</summary>
public enum RewardName
{
    /// <summary>EmojiScenes: share of the prompt's facts that hold in the picture.</summary>
    Adherence,

    /// <summary>EmojiScenes: how close the cells are to real emoji.</summary>
    Fidelity,

    /// <summary>ImageReward.</summary>
    ImageReward,

    /// <summary>Human Preference Score v2.</summary>
    [Key("hpsv2")]
    HpsV2,

    /// <summary>CLIP score.</summary>
    ClipScore,

    /// <summary>Multi-dimensional Preference Score, overall.</summary>
    Mps,

    /// <summary>A server that scores pictures.</summary>
    Remote,
}
