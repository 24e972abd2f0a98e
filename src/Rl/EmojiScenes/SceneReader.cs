namespace CoGrpo.Rl.EmojiScenes;

/// <summary>
/// Reads a picture: per cell the nearest of the 33 tiles by mean absolute pixel difference. From codes it needs only a table of the
/// difference of every code to every tile at every place; from pixels it takes any RGB picture. Both agree exactly on pictures made of
/// codes. Immutable, safe to share between threads, allocation-free.
/// </summary>
public sealed class SceneReader(SceneLayout layout)
{
    // [place 16][code 431][tile 33]: sums of at most 48 x 255.
    private static readonly ushort[] _differences = Tabulate();

    /// <summary>The grid of cells.</summary>
    public SceneLayout Layout { get; } = layout ?? throw new ArgumentNullException(nameof(layout));

    /// <summary>Reads the N codes of a finished picture into one element per cell.</summary>
    /// <exception cref="ArgumentException">A length is wrong, or a code is not in the codebook (the mask is not).</exception>
    public void Read(ReadOnlySpan<int> codes, Span<SceneCell> cells)
    {
        Layout.CheckCodes(codes.Length);
        CheckCells(cells.Length);
        int codeCount = SceneTiles.Codebook.Count;
        Span<int> sums = stackalloc int[SceneTiles.Count];
        for (int cell = 0; cell < cells.Length; cell++)
        {
            sums.Clear();
            for (int place = 0; place < SceneTiles.PatchesPerTile; place++)
            {
                int code = codes[Layout.CodeIndex(cell, place)];
                if ((uint)code >= (uint)codeCount)
                {
                    throw new ArgumentException($"codes: wanted codes in [0,{codeCount}), got {code}" +
                        $"{(code == codeCount ? " (the mask)" : string.Empty)} in cell {cell}; only finished pictures can be read", nameof(codes));
                }

                ReadOnlySpan<ushort> row = _differences.AsSpan(((place * codeCount) + code) * SceneTiles.Count, SceneTiles.Count);
                for (int tile = 0; tile < row.Length; tile++)
                {
                    sums[tile] += row[tile];
                }
            }

            cells[cell] = Nearest(sums);
        }
    }

    /// <summary>Reads an RGB picture of the layout's size, made of codes or not, into one element per cell.</summary>
    /// <exception cref="ArgumentException">A length is wrong.</exception>
    public void ReadPixels(ReadOnlySpan<byte> rgb, Span<SceneCell> cells)
    {
        CheckCells(cells.Length);
        if (rgb.Length != Layout.Tokenizer.PictureBytes)
        {
            throw new ArgumentException($"rgb: wanted {Layout.Tokenizer.PictureBytes} bytes, got {rgb.Length}; " +
                "pass one RGB picture without alpha", nameof(rgb));
        }

        const int RowBytes = SceneTiles.Size * 3;
        Span<int> sums = stackalloc int[SceneTiles.Count];
        for (int cell = 0; cell < cells.Length; cell++)
        {
            int top = (cell / Layout.Side) * SceneTiles.Size;
            int left = cell % Layout.Side;
            for (int tile = 0; tile < sums.Length; tile++)
            {
                int sum = 0;
                ReadOnlySpan<byte> pixels = SceneTiles.Pixels(tile);
                for (int y = 0; y < SceneTiles.Size; y++)
                {
                    sum += Difference(rgb.Slice((((top + y) * Layout.Side) + left) * RowBytes, RowBytes), pixels.Slice(y * RowBytes, RowBytes));
                }

                sums[tile] = sum;
            }

            cells[cell] = Nearest(sums);
        }
    }

    private static SceneCell Nearest(ReadOnlySpan<int> sums)
    {
        int best = 0;
        for (int tile = 1; tile < sums.Length; tile++)
        {
            best = sums[tile] < sums[best] ? tile : best;
        }

        return new SceneCell(best, sums[best]);
    }

    private static int Difference(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b)
    {
        int sum = 0;
        for (int i = 0; i < a.Length; i++)
        {
            sum += Math.Abs(a[i] - b[i]);
        }

        return sum;
    }

    private static ushort[] Tabulate()
    {
        int codes = SceneTiles.Codebook.Count;
        ushort[] table = new ushort[SceneTiles.PatchesPerTile * codes * SceneTiles.Count];
        for (int place = 0; place < SceneTiles.PatchesPerTile; place++)
        {
            for (int tile = 0; tile < SceneTiles.Count; tile++)
            {
                ReadOnlySpan<byte> wanted = SceneTiles.Codebook.Patch(SceneTiles.Codes(tile)[place]);
                for (int code = 0; code < codes; code++)
                {
                    table[(((place * codes) + code) * SceneTiles.Count) + tile] = (ushort)Difference(SceneTiles.Codebook.Patch(code), wanted);
                }
            }
        }

        return table;
    }

    private void CheckCells(int length)
    {
        if (length != Layout.CellCount)
        {
            throw new ArgumentException($"cells: wanted room for {Layout.CellCount}, got {length}");
        }
    }
}
