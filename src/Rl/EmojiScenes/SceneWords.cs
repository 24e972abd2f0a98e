using CoGrpo.Model.Tokenizers;

namespace CoGrpo.Rl.EmojiScenes;

/// <summary>
/// The words of EmojiScenes. A kind is what a noun names: 0..13 objects, 14 heart, 15 circle, 16 square of any colour.
/// The order of all lists is part of the file formats: token ids follow from it.
/// </summary>
public static class SceneWords
{
    /// <summary>Number of kinds.</summary>
    public const int KindCount = 17;

    /// <summary>Number of kinds that are objects; the kinds from here on are shapes.</summary>
    public const int ObjectCount = 14;

    /// <summary>Number of shapes.</summary>
    public const int ShapeCount = 3;

    /// <summary>Number of colours.</summary>
    public const int ColourCount = 6;

    /// <summary>The largest number a prompt counts to.</summary>
    public const int MaximumCount = 4;

    /// <summary>Token ids per prompt: seven words and the end.</summary>
    public const int TextLength = 8;

    private static readonly string[] _kinds =
    [
        "dog",
        "cat",
        "car",
        "house",
        "apple",
        "banana",
        "key",
        "bell",
        "star",
        "sun",
        "tree",
        "fish",
        "mushroom",
        "umbrella",
        "heart",
        "circle",
        "square",
    ];

    private static readonly string[] _plurals =
    [
        "dogs", "cats", "cars", "houses", "apples", "bananas", "keys", "bells", "stars", "suns", "trees", "fish", "mushrooms", "umbrellas", "hearts",
        "circles", "squares",
    ];

    private static readonly string[] _colours = ["red", "orange", "yellow", "green", "blue", "purple"];
    private static readonly string[] _numbers = ["one", "two", "three", "four"];
    private static readonly string[] _relations = ["left of", "right of", "above", "below"];

    /// <summary>Singular nouns by kind.</summary>
    public static ReadOnlySpan<string> Kinds => _kinds;

    /// <summary>Plural nouns by kind; fish is both.</summary>
    public static ReadOnlySpan<string> Plurals => _plurals;

    /// <summary>Colours: red, orange, yellow, green, blue, purple.</summary>
    public static ReadOnlySpan<string> Colours => _colours;

    /// <summary>Number words: element n - 1 is the word for n.</summary>
    public static ReadOnlySpan<string> Numbers => _numbers;

    /// <summary>Words of the relations by <see cref="Relation"/>.</summary>
    public static ReadOnlySpan<string> Relations => _relations;

    /// <summary>
    /// The tokenizer of the 53 ids: 0 padding, 1 end, 2.. a, an, and, left, right, of, above, below, 10.. the numbers, 14.. the colours,
    /// 20.. the 17 singulars, 37.. the 16 plurals beside fish, in kind order.
    /// </summary>
    public static WordTokenizer Tokenizer { get; } = new(
        ["a", "an", "and", "left", "right", "of", "above", "below", .. _numbers, .. _colours, .. _kinds, .. _plurals.Except(_kinds)], TextLength);
}
