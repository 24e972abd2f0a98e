namespace CoGrpo.Model.Images;

/// <summary>Tiles pictures into one, row by row, on white, with optional captions below each.</summary>
public static class ImageGrid
{
    /// <summary>Most lines of a caption; the rest is cut off.</summary>
    public const int MaxCaptionLines = 4;

    /// <summary>
    /// The tiled picture. Every cell is as large as the largest picture; <paramref name="padding"/> pixels of white separate and surround
    /// the cells; captions are wrapped to the cell width.
    /// </summary>
    /// <param name="pictures">At least one picture.</param>
    /// <param name="columns">Cells in a row.</param>
    /// <param name="captions">One text for each picture, or null for none.</param>
    /// <param name="scale">Each picture's pixel becomes a square of this many pixels; captions stay as they are.</param>
    /// <param name="padding">White pixels around each cell.</param>
    /// <exception cref="ArgumentException">There are no pictures, or the counts of captions and pictures differ.</exception>
    public static RgbImage Render(
        IReadOnlyList<RgbImage> pictures, int columns, IReadOnlyList<string>? captions = null, int scale = 1, int padding = 4)
    {
        if (pictures.Count == 0 || (captions is not null && captions.Count != pictures.Count))
        {
            throw new ArgumentException(
                $"wanted one or more pictures and as many captions or none, got {pictures.Count} pictures and {captions?.Count} captions",
                nameof(pictures)
            );
        }

        ArgumentOutOfRangeException.ThrowIfLessThan(columns, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(scale, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(padding);
        columns = Math.Min(columns, pictures.Count);
        int rows = (pictures.Count + columns - 1) / columns;
        int cellWidth = pictures.Max(p => p.Width) * scale;
        int pictureHeight = pictures.Max(p => p.Height) * scale;
        IReadOnlyList<string>[] texts = Captions(captions, cellWidth);
        int captionLines = texts.Length == 0 ? 0 : texts.Max(t => t.Count);
        int captionHeight = captionLines == 0 ? 0 : 2 + (captionLines * BitmapFont.CellHeight);

        var grid = new RgbImage(padding + (columns * (cellWidth + padding)), padding + (rows * (pictureHeight + captionHeight + padding)));
        grid.Fill(255, 255, 255);
        for (int i = 0; i < pictures.Count; i++)
        {
            int x = padding + (i % columns * (cellWidth + padding));
            int y = padding + (i / columns * (pictureHeight + captionHeight + padding));
            grid.Draw(pictures[i], x, y, scale);
            for (int line = 0; captionLines > 0 && line < texts[i].Count; line++)
            {
                BitmapFont.Draw(grid, x, y + pictureHeight + 2 + (line * BitmapFont.CellHeight), texts[i][line], 32, 32, 32);
            }
        }

        return grid;
    }

    private static IReadOnlyList<string>[] Captions(IReadOnlyList<string>? captions, int cellWidth)
    {
        // The blank column behind the last glyph may hang over into the padding.
        int characters = Math.Max(1, (cellWidth + 1) / BitmapFont.CellWidth);
        return captions is null
            ? []
            : captions.Select(c => (IReadOnlyList<string>)[.. BitmapFont.Wrap(c, characters).Take(MaxCaptionLines)]).ToArray();
    }
}
