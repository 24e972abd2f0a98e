namespace CoGrpo.Rl.EmojiScenes;

/// <summary>
/// Share of the prompt's facts that hold, 0..1; independent of how cleanly the things are drawn. A blank picture gets 1/3, 1/4 for position
/// and 1/5 for attribution.
/// </summary>
public sealed class Adherence(SceneLayout layout) : SceneReward(layout)
{
    /// <inheritdoc/>
    public override string Name => "adherence";

    private protected override double Evaluate(Prompt prompt, ReadOnlySpan<SceneCell> cells) => Facts.Check(prompt, Layout, cells).Share;
}
