namespace CoGrpo.Rl.EmojiScenes;

/// <summary>The measure of success, for evaluation and never for training: 1 when all facts hold and all cells are clean, else 0.</summary>
public sealed class Judge(SceneLayout layout) : SceneReward(layout)
{
    /// <inheritdoc/>
    public override string Name => "judge";

    private protected override double Evaluate(Prompt prompt, ReadOnlySpan<SceneCell> cells)
    {
        foreach (SceneCell cell in cells)
        {
            if (!cell.IsClean)
            {
                return 0;
            }
        }

        return Facts.Check(prompt, Layout, cells).All ? 1 : 0;
    }
}
