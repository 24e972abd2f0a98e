using CoGrpo.Runtime.Randomness;

namespace CoGrpo.Rl.Pretraining;

/// <summary>Endless captioned pictures for pre-training, as token ids and codes.</summary>
public interface IPictureSource
{
    /// <summary>Text ids per prompt, L.</summary>
    int TextLength { get; }

    /// <summary>Rows of the code grid.</summary>
    int GridHeight { get; }

    /// <summary>Columns of the code grid.</summary>
    int GridWidth { get; }

    /// <summary>Ids of the empty prompt, which trains the unconditional branch.</summary>
    ReadOnlySpan<int> EmptyPrompt { get; }

    /// <summary>Writes the text ids [L] and codes [N] of the next picture drawn from <paramref name="random"/>.</summary>
    void Draw(ref RandomSequence random, Span<int> textIds, Span<int> codes);
}
