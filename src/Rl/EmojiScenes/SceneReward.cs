namespace CoGrpo.Rl.EmojiScenes;

/// <summary>The common part of rewards that read a scene from its codes: one score from a prompt and the cells of a picture.</summary>
public abstract class SceneReward : IReward
{
    private readonly SceneReader _reader;

    private protected SceneReward(SceneLayout layout) => _reader = new SceneReader(layout);

    /// <inheritdoc/>
    public abstract string Name { get; }

    /// <summary>The grid of cells of the pictures.</summary>
    public SceneLayout Layout => _reader.Layout;

    /// <inheritdoc/>
    public void Score(RewardBatch batch, Span<double> scores, CancellationToken cancellation = default)
    {
        batch.CheckScores(scores.Length);
        Span<SceneCell> cells = stackalloc SceneCell[Layout.CellCount];
        for (int b = 0; b < scores.Length; b++)
        {
            if (batch.Prompt(b) is not Prompt prompt)
            {
                throw new ArgumentException($"prompt {b}: wanted a prompt of EmojiScenes, got '{batch.Prompt(b)?.Text}'; " +
                    $"use {nameof(Prompt)}.{nameof(Prompt.Parse)}", nameof(batch));
            }

            _reader.Read(batch.Codes(b), cells);
            scores[b] = Of(prompt, cells);
        }
    }

    /// <summary>The score of a picture that has been read.</summary>
    /// <exception cref="ArgumentException">There is not one cell for each of the layout's.</exception>
    public double Of(Prompt prompt, ReadOnlySpan<SceneCell> cells)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        return cells.Length == Layout.CellCount
            ? Evaluate(prompt, cells)
            : throw new ArgumentException($"cells: wanted {Layout.CellCount}, got {cells.Length}", nameof(cells));
    }

    private protected abstract double Evaluate(Prompt prompt, ReadOnlySpan<SceneCell> cells);
}
