namespace CoGrpo.Model.Rewards;

/// <summary>Which weights of the Human Preference Score: one architecture, scores that cannot be compared.</summary>
public enum HpsVersion
{
    /// <summary>HPS v2.0, <c>HPS_v2_compressed</c>; the version of the published tables.</summary>
    V20,

    /// <summary>HPS v2.1, <c>HPS_v2.1_compressed</c>.</summary>
    V21,
}
