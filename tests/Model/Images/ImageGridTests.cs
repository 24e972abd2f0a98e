using CoGrpo.Model.Images;

namespace CoGrpo.Tests.Model.Images;

public sealed class ImageGridTests
{
    [Fact]
    public void Pictures_stand_row_by_row_enlarged_and_padded()
    {
        RgbImage[] pictures = [Solid(1), Solid(2), Solid(3)];
        RgbImage grid = ImageGrid.Render(pictures, columns: 2, scale: 3, padding: 1);
        Assert.Equal((1 + (2 * 7), 1 + (2 * 7)), (grid.Width, grid.Height));
        Assert.Equal(255, Red(grid, 0, 0));
        Assert.Equal(1, Red(grid, 1, 1));
        Assert.Equal(1, Red(grid, 6, 6));
        Assert.Equal(255, Red(grid, 7, 7));
        Assert.Equal(2, Red(grid, 8, 1));
        Assert.Equal(3, Red(grid, 1, 8));
        Assert.Equal(255, Red(grid, 8, 8));
    }

    [Fact]
    public void Captions_add_room_below_and_draw_there_only()
    {
        RgbImage grid = ImageGrid.Render([Solid(9, 40), Solid(9, 40)], columns: 2, captions: ["a red cat on a mat", ""], padding: 2);
        Assert.Equal(2 + 40 + 2 + (3 * BitmapFont.CellHeight) + 2, grid.Height);
        int inLeft = 0;
        int inRight = 0;
        for (int y = 42; y < grid.Height; y++)
        {
            for (int x = 0; x < grid.Width; x++)
            {
                if (Red(grid, x, y) == 32)
                {
                    _ = x < 43 ? inLeft++ : inRight++;
                }
            }
        }

        Assert.InRange(inLeft, 50, 500);
        Assert.Equal(0, inRight);
    }

    [Fact]
    public void Counts_must_agree()
    {
        Assert.Throws<ArgumentException>(() => ImageGrid.Render([], 1));
        Assert.Throws<ArgumentException>(() => ImageGrid.Render([Solid(1)], 1, ["a", "b"]));
    }

    [Fact]
    public void Text_wraps_at_spaces_and_within_long_words()
    {
        Assert.Equal(["two", "words"], BitmapFont.Wrap(" two words ", 6));
        Assert.Equal(["exact", "fit"], BitmapFont.Wrap("exact fit", 5));
        Assert.Equal(["abcd", "ef g"], BitmapFont.Wrap("abcdef g", 4));
        Assert.Empty(BitmapFont.Wrap("  ", 4));
    }

    [Fact]
    public void Letter_has_its_shape_and_is_cut_off_at_the_border()
    {
        var image = new RgbImage(6, 7);
        BitmapFont.Draw(image, 0, 0, "L", 255, 255, 255);
        for (int y = 0; y < 7; y++)
        {
            for (int x = 0; x < 6; x++)
            {
                Assert.Equal(x == 0 || (y == 6 && x < 5) ? 255 : 0, Red(image, x, y));
            }
        }

        BitmapFont.Draw(image, -3, -3, "é@~", 255, 255, 255, scale: 2);
    }

    private static RgbImage Solid(byte value, int side = 2)
    {
        var image = new RgbImage(side, side);
        image.Fill(value, value, value);
        return image;
    }

    private static byte Red(RgbImage image, int x, int y) => image.Pixels[3 * ((y * image.Width) + x)];
}
