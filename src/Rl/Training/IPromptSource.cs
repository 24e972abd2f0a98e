using CoGrpo.Runtime.Randomness;

namespace CoGrpo.Rl.Training;

/// <summary>The prompts a run trains on, and their token ids.</summary>
public interface IPromptSource
{
    /// <summary>Text ids per prompt, L.</summary>
    int TextLength { get; }

    /// <summary>The next training prompt drawn from <paramref name="random"/>.</summary>
    IPrompt Draw(ref RandomSequence random);

    /// <summary>Writes the L ids of a text; the empty text is the unconditional prompt.</summary>
    /// <exception cref="FormatException">The text cannot be written in the vocabulary.</exception>
    void Encode(string text, Span<int> ids);
}
