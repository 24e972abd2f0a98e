namespace CoGrpo.Model.Tokenizers;

/// <summary>Pictures as a grid of patches of a <see cref="PatchCodebook"/>: lossless in both directions, allocation-free,
/// safe to share between threads.</summary>
public sealed class PatchTokenizer : IImageTokenizer
{
    /// <summary>The tokenizer of pictures with <paramref name="gridHeight"/> x <paramref name="gridWidth"/> patches.</summary>
    public PatchTokenizer(PatchCodebook codebook, int gridHeight, int gridWidth)
    {
        ArgumentNullException.ThrowIfNull(codebook);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(gridHeight);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(gridWidth);
        Codebook = codebook;
        GridHeight = gridHeight;
        GridWidth = gridWidth;
    }

    /// <summary>The patches.</summary>
    public PatchCodebook Codebook { get; }

    /// <inheritdoc/>
    public int GridHeight { get; }

    /// <inheritdoc/>
    public int GridWidth { get; }

    /// <inheritdoc/>
    public int CodeCount => GridHeight * GridWidth;

    /// <inheritdoc/>
    public int CodebookSize => Codebook.Count;

    /// <inheritdoc/>
    public int MaskId => Codebook.Count;

    /// <inheritdoc/>
    public int PictureHeight => GridHeight * Codebook.PatchSize;

    /// <inheritdoc/>
    public int PictureWidth => GridWidth * Codebook.PatchSize;

    /// <inheritdoc/>
    public int PictureBytes => CodeCount * Codebook.PatchBytes;

    /// <inheritdoc/>
    public void Encode(ReadOnlySpan<byte> rgb, Span<int> codes)
    {
        CheckLengths(codes.Length, rgb.Length);
        int size = Codebook.PatchSize;
        Span<byte> patch = Codebook.PatchBytes <= 1024 ? stackalloc byte[Codebook.PatchBytes] : new byte[Codebook.PatchBytes];
        for (int n = 0; n < codes.Length; n++)
        {
            (int row, int column) = Math.DivRem(n, GridWidth);
            PatchCodebook.CopyOut(rgb, PictureWidth, row * size, column * size, size, patch);
            int code = Codebook.Find(patch);
            if (code < 0)
            {
                throw new ArgumentException(
                    $"rgb: wanted a picture made of the codebook's {Codebook.Count} patches, got an unknown patch in row {row}, "
                        + $"column {column} of the patch grid; only pictures composed of the codebook's own tiles can be encoded",
                    nameof(rgb)
                );
            }

            codes[n] = code;
        }
    }

    /// <inheritdoc/>
    public void Decode(ReadOnlySpan<int> codes, Span<byte> rgb)
    {
        CheckLengths(codes.Length, rgb.Length);
        int rowBytes = Codebook.PatchSize * 3;
        for (int n = 0; n < codes.Length; n++)
        {
            (int row, int column) = Math.DivRem(n, GridWidth);
            ReadOnlySpan<byte> patch = Codebook.Patch(codes[n]);
            for (int y = 0; y < Codebook.PatchSize; y++)
            {
                patch.Slice(y * rowBytes, rowBytes).CopyTo(rgb.Slice(((((row * Codebook.PatchSize) + y) * GridWidth) + column) * rowBytes));
            }
        }
    }

    private void CheckLengths(int codes, int bytes)
    {
        if (codes != CodeCount)
        {
            throw new ArgumentException(
                $"codes: wanted {CodeCount} ({GridHeight} x {GridWidth}), got {codes}; pass one picture at a time",
                nameof(codes)
            );
        }

        if (bytes != PictureBytes)
        {
            throw new ArgumentException(
                $"rgb: wanted {PictureBytes} bytes ({PictureHeight} x {PictureWidth} x 3), got {bytes}; pass RGB without alpha, "
                    + "one picture at a time",
                "rgb"
            );
        }
    }
}
