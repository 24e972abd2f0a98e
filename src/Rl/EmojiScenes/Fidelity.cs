namespace CoGrpo.Rl.EmojiScenes;

/// <summary>
/// How cleanly the cells are drawn, whatever they show: mean over cells of 1 - min(1, d*/0.10). A blank picture gets 1, so this reward
/// alone is hacked by emptiness: mix it with <see cref="Adherence"/>.
/// </summary>
public sealed class Fidelity(SceneLayout layout) : SceneReward(layout)
{
    /// <summary>The distance from which on a cell gets nothing.</summary>
    public const double WorstDistance = 0.10;

    /// <inheritdoc/>
    public override string Name => "fidelity";

    private protected override double Evaluate(Prompt prompt, ReadOnlySpan<SceneCell> cells)
    {
        double sum = 0;
        foreach (SceneCell cell in cells)
        {
            sum += 1 - Math.Min(1, cell.Distance / WorstDistance);
        }

        return sum / cells.Length;
    }
}
