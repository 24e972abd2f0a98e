namespace CoGrpo.Model.Tokenizers;

/// <summary>Text to a fixed number of token ids and back. Implementations hold no mutable state and may be shared between threads.</summary>
public interface ITextTokenizer
{
    /// <summary>Number of token ids; every id is in [0, <see cref="VocabularySize"/>).</summary>
    int VocabularySize { get; }

    /// <summary>Ids per text, L.</summary>
    int Length { get; }

    /// <summary>The id that fills the places after the end of the text.</summary>
    int PadId { get; }

    /// <summary>The id that ends the text.</summary>
    int EosId { get; }

    /// <summary>
    /// Writes the ids of <paramref name="text"/>, its end and the padding: exactly <see cref="Length"/> ids. Returns the number of ids
    /// that are not padding, so the end stands at that number minus one. The empty text is the unconditional prompt.
    /// </summary>
    /// <exception cref="ArgumentException"><paramref name="ids"/> does not hold <see cref="Length"/> ids.</exception>
    /// <exception cref="FormatException">The text cannot be written in this vocabulary, or is too long where the format does not cut.</exception>
    int Encode(ReadOnlySpan<char> text, Span<int> ids);

    /// <summary>
    /// As <see cref="Encode(ReadOnlySpan{char}, Span{int})"/>; <paramref name="isCut"/> tells whether the text has more ids than fit. Formats that do
    /// not cut throw instead.
    /// </summary>
    /// <exception cref="ArgumentException"><paramref name="ids"/> does not hold <see cref="Length"/> ids.</exception>
    /// <exception cref="FormatException">As for <see cref="Encode(ReadOnlySpan{char}, Span{int})"/>.</exception>
    int Encode(ReadOnlySpan<char> text, Span<int> ids, out bool isCut)
    {
        isCut = false;
        return Encode(text, ids);
    }

    /// <summary>The text that stands before the first end.</summary>
    /// <exception cref="ArgumentException">An id is not in the vocabulary.</exception>
    string Decode(ReadOnlySpan<int> ids);
}
