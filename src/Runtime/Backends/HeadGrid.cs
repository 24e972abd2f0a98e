namespace CoGrpo.Runtime.Backends;

/// <summary>How codes and tokens of a picture lie: what <see cref="IBackend.HeadRows"/> needs to know of a network.</summary>
/// <param name="Images">B.</param>
/// <param name="TextTokens">L: tokens of an image before its picture tokens.</param>
/// <param name="Height">Rows of the code grid.</param>
/// <param name="Width">Columns of the code grid.</param>
/// <param name="Upsample">Whether a token owns 2x2 codes; else one.</param>
public readonly record struct HeadGrid(int Images, int TextTokens, int Height, int Width, bool Upsample)
{
    /// <summary>N: codes of an image.</summary>
    public int Codes => Height * Width;

    /// <summary>n: picture tokens of an image.</summary>
    public int Tokens => Upsample ? Codes / 4 : Codes;
}
