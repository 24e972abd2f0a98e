namespace CoGrpo.Rl.EmojiScenes;

/// <summary>What a prompt asks for. The six values are 0..5 in this order everywhere.</summary>
public enum SceneTask
{
    /// <summary>«a dog»: one instance of a kind.</summary>
    Single,

    /// <summary>«a dog and a cat»: one instance each of two kinds.</summary>
    Two,

    /// <summary>«three dogs»: a number of instances of a kind.</summary>
    Counting,

    /// <summary>«a red heart»: a shape of a colour.</summary>
    Colours,

    /// <summary>«a dog left of a cat»: two kinds in a relation.</summary>
    Position,

    /// <summary>«a red heart and a blue circle»: two shapes, each of its colour.</summary>
    Attribution,
}
