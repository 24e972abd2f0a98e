using CoGrpo.Rl.Training;
using CoGrpo.Runtime.Randomness;

namespace CoGrpo.Rl.EmojiScenes;

/// <summary>Training prompts of EmojiScenes: the task uniformly, then a prompt of that task uniformly.</summary>
public sealed class ScenePromptSource : IPromptSource
{
    /// <inheritdoc/>
    public int TextLength => SceneWords.Tokenizer.Length;

    /// <inheritdoc/>
    public IPrompt Draw(ref RandomSequence random) => PromptSet.Train.Draw(ref random);

    /// <inheritdoc/>
    public void Encode(string text, Span<int> ids) => SceneWords.Tokenizer.Encode(text, ids);
}
