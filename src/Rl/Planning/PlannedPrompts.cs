using CoGrpo.Rl.Training;
using CoGrpo.Runtime.Randomness;

namespace CoGrpo.Rl.Planning;

/// <summary>Prompts of the right length and no words: what a text encoder costs does not depend on them.</summary>
/// <param name="length">L.</param>
/// <param name="endToken">An id that every prompt must hold; negative for none.</param>
internal sealed class PlannedPrompts(int length, int endToken) : IPromptSource
{
    private static readonly Prompt Wordless = new("");

    public int TextLength => length;

    public IPrompt Draw(ref RandomSequence random) => Wordless;

    public void Encode(string text, Span<int> ids)
    {
        ids.Clear();
        ids[^1] = Math.Max(0, endToken);
    }

    private sealed record Prompt(string Text) : IPrompt;
}
