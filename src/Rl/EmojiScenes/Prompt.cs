namespace CoGrpo.Rl.EmojiScenes;

/// <summary>
/// One prompt: a task and its arguments; arguments a task does not use are -1. Kinds are 0..16 (<see cref="SceneWords"/>); for colours and
/// attribution the kinds are the shapes' kinds (14..16). Immutable; equal by task and arguments.
/// </summary>
public sealed record Prompt : IPrompt
{
    private Prompt(SceneTask task, int first, int second = -1, int count = -1, int firstColour = -1, int secondColour = -1, int relation = -1)
    {
        Task = task;
        First = first;
        Second = second;
        Count = count;
        FirstColour = firstColour;
        SecondColour = secondColour;
        RelationIndex = relation;
        Text = Write();
    }

    /// <summary>The task.</summary>
    public SceneTask Task { get; }

    /// <summary>Kind of the first (or only) thing.</summary>
    public int First { get; }

    /// <summary>Kind of the second thing of two, position and attribution, else -1.</summary>
    public int Second { get; }

    /// <summary>Number of things of counting, 1..4, else -1.</summary>
    public int Count { get; }

    /// <summary>Colour of the first shape of colours and attribution, else -1.</summary>
    public int FirstColour { get; }

    /// <summary>Colour of the second shape of attribution, else -1.</summary>
    public int SecondColour { get; }

    /// <summary>The <see cref="EmojiScenes.Relation"/> of position as a number, else -1.</summary>
    public int RelationIndex { get; }

    /// <summary>The relation of a position prompt.</summary>
    /// <exception cref="InvalidOperationException">The prompt is of another task.</exception>
    public Relation Relation => RelationIndex >= 0
        ? (Relation)RelationIndex
        : throw new InvalidOperationException($"'{Text}' is a {Task} prompt and has no relation");

    /// <inheritdoc/>
    public string Text { get; }

    /// <summary>True when the prompt belongs to the held-out split, which neither pre-training nor post-training may use.
    /// Symmetric in the order of the things.</summary>
    public bool IsHeldOut => Task switch
    {
        SceneTask.Single => First % 5 == 2,
        SceneTask.Counting => (First + (2 * Count)) % 5 == 0,
        SceneTask.Colours => (FirstColour + (2 * (First - SceneWords.ObjectCount))) % 6 == 0,
        SceneTask.Attribution => (FirstColour + SecondColour + First + Second - (2 * SceneWords.ObjectCount)) % 5 == 0,
        _ => (First + Second) % 5 == 0,
    };

    /// <summary>«a K».</summary>
    /// <exception cref="ArgumentOutOfRangeException">The kind is not in 0..16.</exception>
    public static Prompt Single(int kind) => new(SceneTask.Single, Kind(kind));

    /// <summary>«a A and a B».</summary>
    /// <exception cref="ArgumentException">A kind is not in 0..16, or both are the same.</exception>
    public static Prompt Two(int first, int second)
    {
        Different(Kind(first), Kind(second), "things", "use the counting task for several of one kind");
        return new Prompt(SceneTask.Two, first, second);
    }

    /// <summary>«n Ks».</summary>
    /// <exception cref="ArgumentOutOfRangeException">The kind is not in 0..16 or the number not in 1..4.</exception>
    public static Prompt Counting(int kind, int count) =>
        new(SceneTask.Counting, Kind(kind), count: InRange(count, 1, SceneWords.MaximumCount, nameof(count)));

    /// <summary>«a C S»: <paramref name="shape"/> is 0 heart, 1 circle, 2 square.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The colour is not in 0..5 or the shape not in 0..2.</exception>
    public static Prompt Colours(int colour, int shape) => new(SceneTask.Colours, Shape(shape), firstColour: Colour(colour));

    /// <summary>«a A left of a B» and the other relations.</summary>
    /// <exception cref="ArgumentException">A kind is not in 0..16, both are the same, or the relation is none of the four.</exception>
    public static Prompt Position(int first, int second, Relation relation)
    {
        Different(Kind(first), Kind(second), "things", "a thing has no place relative to its own kind");
        return new Prompt(SceneTask.Position, first, second, relation: InRange((int)relation, 0, 3, nameof(relation)));
    }

    /// <summary>«a C1 S1 and a C2 S2»: shapes are 0 heart, 1 circle, 2 square.</summary>
    /// <exception cref="ArgumentException">A colour is not in 0..5, a shape not in 0..2, or the two colours or the two shapes are the
    /// same.</exception>
    public static Prompt Attribution(int firstColour, int firstShape, int secondColour, int secondShape)
    {
        Different(Shape(firstShape), Shape(secondShape), "shapes", "name two different shapes");
        Different(Colour(firstColour), Colour(secondColour), "colours", "name two different colours");
        return new Prompt(SceneTask.Attribution, SceneWords.ObjectCount + firstShape, SceneWords.ObjectCount + secondShape,
            firstColour: firstColour, secondColour: secondColour);
    }

    /// <summary>The prompt a text stands for. Case, repeated white space and the choice of a or an do not matter.</summary>
    /// <exception cref="FormatException">A word is unknown (the message names the nearest known word) or the words form no prompt of the six
    /// tasks.</exception>
    public static Prompt Parse(string text) => PromptParser.Parse(text);

    /// <summary>The text.</summary>
    public override string ToString() => Text;

    private static int Kind(int kind) => InRange(kind, 0, SceneWords.KindCount - 1, nameof(kind));

    private static int Colour(int colour) => InRange(colour, 0, SceneWords.ColourCount - 1, nameof(colour));

    private static int Shape(int shape) => InRange(shape, 0, SceneWords.ShapeCount - 1, nameof(shape)) + SceneWords.ObjectCount;

    private static int InRange(int value, int least, int most, string name) => value >= least && value <= most
        ? value
        : throw new ArgumentOutOfRangeException(name, value, $"{name}: wanted {least}..{most}, got {value}");

    private static void Different(int a, int b, string what, string remedy)
    {
        if (a == b)
        {
            throw new ArgumentException($"wanted two different {what}, got the same twice; {remedy}");
        }
    }

    private static string Article(string word) => word[0] is 'a' or 'o' or 'u' ? "an " + word : "a " + word;

    private static string Noun(int kind, int colour) =>
        Article(colour < 0 ? SceneWords.Kinds[kind] : $"{SceneWords.Colours[colour]} {SceneWords.Kinds[kind]}");

    private string Write() => Task switch
    {
        SceneTask.Counting => $"{SceneWords.Numbers[Count - 1]} {(Count == 1 ? SceneWords.Kinds : SceneWords.Plurals)[First]}",
        SceneTask.Single or SceneTask.Colours => Noun(First, FirstColour),
        SceneTask.Position => $"{Noun(First, -1)} {SceneWords.Relations[RelationIndex]} {Noun(Second, -1)}",
        _ => $"{Noun(First, FirstColour)} and {Noun(Second, SecondColour)}",
    };
}
