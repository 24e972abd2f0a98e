using CoGrpo.Runtime.Randomness;

namespace CoGrpo.Rl.EmojiScenes;

/// <summary>
/// The prompts of one split, per task. Order within a task: kinds (or pairs, first before second) ascending, then number or relation
/// ascending; colours by colour then shape; attribution by first colour, first shape, second colour, second shape. Immutable.
/// </summary>
public sealed class PromptSet
{
    /// <summary>Number of tasks.</summary>
    public const int TaskCount = 6;

    private readonly Prompt[][] _tasks;

    private PromptSet(Prompt[][] tasks)
    {
        _tasks = tasks;
        Count = tasks.Sum(task => task.Length);
    }

    /// <summary>Every prompt.</summary>
    public static PromptSet Everything { get; } = new([
        [.. Kinds().Select(Prompt.Single)],
        [.. Pairs().Select(pair => Prompt.Two(pair.First, pair.Second))],
        [.. Kinds().SelectMany(kind => Enumerable.Range(1, SceneWords.MaximumCount).Select(count => Prompt.Counting(kind, count)))],
        [.. ColouredShapes().Select(one => Prompt.Colours(one.Colour, one.Shape))],
        [.. Pairs().SelectMany(pair => Enumerable.Range(0, 4).Select(relation => Prompt.Position(pair.First, pair.Second, (Relation)relation)))],
        [.. ColouredShapes().SelectMany(a => ColouredShapes().Where(b => a.Colour != b.Colour && a.Shape != b.Shape)
            .Select(b => Prompt.Attribution(a.Colour, a.Shape, b.Colour, b.Shape)))],
    ]);

    /// <summary>The prompts for pre-training and post-training.</summary>
    public static PromptSet Train { get; } = Everything.Where(heldOut: false);

    /// <summary>The prompts for evaluation only.</summary>
    public static PromptSet HeldOut { get; } = Everything.Where(heldOut: true);

    /// <summary>Number of prompts over all tasks.</summary>
    public int Count { get; }

    /// <summary>The prompts of a task.</summary>
    public ReadOnlySpan<Prompt> Of(SceneTask task) => _tasks[(int)task];

    /// <summary>Draws a task uniformly, then a prompt of it uniformly: two numbers of <paramref name="random"/>. Allocates nothing.</summary>
    public Prompt Draw(ref RandomSequence random) => Draw((SceneTask)random.Next(TaskCount), ref random);

    /// <summary>Draws a prompt of a task uniformly.</summary>
    public Prompt Draw(SceneTask task, ref RandomSequence random)
    {
        Prompt[] prompts = _tasks[(int)task];
        return prompts[random.Next(prompts.Length)];
    }

    private static IEnumerable<int> Kinds() => Enumerable.Range(0, SceneWords.KindCount);

    private static IEnumerable<(int First, int Second)> Pairs() => Kinds().SelectMany(a => Kinds().Where(b => b != a).Select(b => (a, b)));

    private static IEnumerable<(int Colour, int Shape)> ColouredShapes() =>
        Enumerable.Range(0, SceneWords.ColourCount).SelectMany(colour => Enumerable.Range(0, SceneWords.ShapeCount).Select(shape => (colour, shape)));

    private PromptSet Where(bool heldOut) => new([.. _tasks.Select(task => task.Where(prompt => prompt.IsHeldOut == heldOut).ToArray())]);
}
