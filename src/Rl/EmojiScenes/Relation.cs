namespace CoGrpo.Rl.EmojiScenes;

/// <summary>Where the first thing stands as seen from the second.</summary>
public enum Relation
{
    /// <summary>In a column further left; rows are free.</summary>
    LeftOf,

    /// <summary>In a column further right; rows are free.</summary>
    RightOf,

    /// <summary>In a row further up; columns are free.</summary>
    Above,

    /// <summary>In a row further down; columns are free.</summary>
    Below,
}
