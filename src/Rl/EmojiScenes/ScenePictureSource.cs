using CoGrpo.Rl.Pretraining;
using CoGrpo.Runtime.Randomness;

namespace CoGrpo.Rl.EmojiScenes;

/// <summary>Composed pictures of training prompts for pre-training. Tasks are drawn by weight, prompts of a task uniformly.</summary>
public sealed class ScenePictureSource : IPictureSource
{
    private readonly SceneComposer _composer;
    private readonly double[] _cumulative = new double[PromptSet.TaskCount];
    private readonly int[] _empty;

    /// <summary>
    /// Pictures in <paramref name="layout"/>; <paramref name="taskWeights"/> has one positive weight per <see cref="SceneTask"/>, or is empty for
    /// equal shares.
    /// </summary>
    /// <exception cref="ArgumentException">The number of weights is neither 0 nor the number of tasks, or one is negative, or all are 0.</exception>
    public ScenePictureSource(SceneLayout layout, IReadOnlyList<double> taskWeights)
    {
        if (
            taskWeights.Count is not (0 or PromptSet.TaskCount)
            || taskWeights.Any(w => !(w >= 0))
            || (taskWeights.Count > 0 && taskWeights.Sum() <= 0)
        )
        {
            throw new ArgumentException($"task weights: wanted none or {PromptSet.TaskCount} numbers of at least 0 with a positive sum, got {string.Join(", ", taskWeights)}; "
                + "give one weight per task in the order single, two, counting, colours, position, attribution", nameof(taskWeights));
        }

        _composer = new SceneComposer(layout);
        double sum = taskWeights.Count == 0 ? PromptSet.TaskCount : taskWeights.Sum();
        double below = 0;
        for (int i = 0; i < _cumulative.Length; i++)
        {
            below += (taskWeights.Count == 0 ? 1 : taskWeights[i]) / sum;
            _cumulative[i] = below;
        }

        _empty = new int[TextLength];
        SceneWords.Tokenizer.Encode("", _empty);
    }

    /// <inheritdoc/>
    public int TextLength => SceneWords.Tokenizer.Length;

    /// <inheritdoc/>
    public int GridHeight => _composer.Layout.Tokenizer.GridHeight;

    /// <inheritdoc/>
    public int GridWidth => _composer.Layout.Tokenizer.GridWidth;

    /// <inheritdoc/>
    public ReadOnlySpan<int> EmptyPrompt => _empty;

    /// <inheritdoc/>
    public void Draw(ref RandomSequence random, Span<int> textIds, Span<int> codes)
    {
        double u = random.NextDouble();
        int task = 0;
        while (task < _cumulative.Length - 1 && u >= _cumulative[task])
        {
            task++;
        }

        Prompt prompt = PromptSet.Train.Draw((SceneTask)task, ref random);
        SceneWords.Tokenizer.Encode(prompt.Text, textIds);
        _composer.Compose(prompt, ref random, codes);
    }
}
