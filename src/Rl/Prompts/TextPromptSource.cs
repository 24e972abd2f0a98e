using CoGrpo.Model.Tokenizers;
using CoGrpo.Rl.Training;
using CoGrpo.Runtime.Randomness;

namespace CoGrpo.Rl.Prompts;

/// <summary>Prompts from a list, each as likely as the others, for a model with a tokenizer of its own.</summary>
/// <param name="prompts">At least one.</param>
/// <param name="tokenizer">The model's.</param>
public sealed class TextPromptSource(IReadOnlyList<TextPrompt> prompts, ITextTokenizer tokenizer) : IPromptSource
{
    /// <inheritdoc/>
    public int TextLength => tokenizer.Length;

    /// <inheritdoc/>
    public IPrompt Draw(ref RandomSequence random) => prompts[random.Next(prompts.Count)];

    /// <inheritdoc/>
    public void Encode(string text, Span<int> ids) => tokenizer.Encode(text, ids);
}
