namespace CoGrpo.Rl.Configuration;

/// <summary>Versions of the Human Preference Score; scores of the two cannot be compared.</summary>
public enum HpsVersionName
{
    /// <summary>v2.0, that of the published tables.</summary>
    [Key("v2.0")]
    V20,

    /// <summary>v2.1.</summary>
    [Key("v2.1")]
    V21,
}
