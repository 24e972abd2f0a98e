namespace CoGrpo.Rl.EmojiScenes;

/// <summary>How different the pictures of one prompt are, for evaluation and never for training: a falling value is collapse.</summary>
public static class Diversity
{
    /// <summary>
    /// Distinct readings (the tile of every cell) among the pictures of one prompt, divided by their number. <paramref name="cells"/> holds the
    /// pictures' cells one picture after another.
    /// </summary>
    /// <exception cref="ArgumentException">There is no picture, or the length is no multiple of the layout's cells.</exception>
    public static double Of(SceneLayout layout, ReadOnlySpan<SceneCell> cells)
    {
        ArgumentNullException.ThrowIfNull(layout);
        int size = layout.CellCount;
        if (cells.IsEmpty || cells.Length % size != 0)
        {
            throw new ArgumentException($"cells: wanted a multiple of {size} and at least one picture, got {cells.Length}", nameof(cells));
        }

        int distinct = 0;
        for (int picture = 0; picture < cells.Length; picture += size)
        {
            bool seen = false;
            for (int earlier = 0; earlier < picture && !seen; earlier += size)
            {
                seen = Same(cells.Slice(picture, size), cells.Slice(earlier, size));
            }

            distinct += seen ? 0 : 1;
        }

        return (double)distinct / (cells.Length / size);
    }

    private static bool Same(ReadOnlySpan<SceneCell> a, ReadOnlySpan<SceneCell> b)
    {
        for (int cell = 0; cell < a.Length; cell++)
        {
            if (a[cell].Tile != b[cell].Tile)
            {
                return false;
            }
        }

        return true;
    }
}
