using CoGrpo.Model.Tokenizers;

namespace CoGrpo.Tests.Rl.Prompts;

/// <summary>Grids of 8 x 8 codes as pictures with a pixel per code.</summary>
internal sealed class GreyPictures : IImageTokenizer
{
    public int GridHeight => 8;

    public int GridWidth => 8;

    public int CodebookSize => 431;

    public int MaskId => 431;

    public int PictureHeight => 8;

    public int PictureWidth => 8;

    public void Encode(ReadOnlySpan<byte> rgb, Span<int> codes) => throw new NotSupportedException();

    public void Decode(ReadOnlySpan<int> codes, Span<byte> rgb)
    {
        for (int i = 0; i < rgb.Length; i++)
        {
            rgb[i] = (byte)codes[i / 3];
        }
    }
}
