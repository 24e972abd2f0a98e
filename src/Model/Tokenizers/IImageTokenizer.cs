namespace CoGrpo.Model.Tokenizers;

/// <summary>
/// Pictures to a grid of discrete codes and back. A picture is RGB, 8 bits a channel, row-major, channels adjacent:
/// <see cref="PictureHeight"/> x <see cref="PictureWidth"/> x 3 bytes. Codes are row-major over the grid.
/// </summary>
public interface IImageTokenizer
{
    /// <summary>Rows of the code grid.</summary>
    int GridHeight { get; }

    /// <summary>Columns of the code grid.</summary>
    int GridWidth { get; }

    /// <summary>Codes per picture, N = <see cref="GridHeight"/> x <see cref="GridWidth"/>.</summary>
    int CodeCount => GridHeight * GridWidth;

    /// <summary>Number of codes, V; every code of a finished picture is in [0, V).</summary>
    int CodebookSize { get; }

    /// <summary>The id that stands for a code not yet decided; never part of a finished picture.</summary>
    int MaskId { get; }

    /// <summary>Picture height in pixels.</summary>
    int PictureHeight { get; }

    /// <summary>Picture width in pixels.</summary>
    int PictureWidth { get; }

    /// <summary>Bytes per picture.</summary>
    int PictureBytes => PictureHeight * PictureWidth * 3;

    /// <summary>Writes the <see cref="CodeCount"/> codes of one picture.</summary>
    /// <exception cref="ArgumentException">A length is wrong, or the picture cannot be written in these codes.</exception>
    void Encode(ReadOnlySpan<byte> rgb, Span<int> codes);

    /// <summary>Writes the <see cref="PictureBytes"/> bytes of one finished picture.</summary>
    /// <exception cref="ArgumentException">A length is wrong, or a code is outside [0, V), the mask included.</exception>
    void Decode(ReadOnlySpan<int> codes, Span<byte> rgb);
}
