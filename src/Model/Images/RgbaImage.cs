namespace CoGrpo.Model.Images;

/// <summary>A picture of 8-bit sRGB pixels with straight (not premultiplied) opacity.</summary>
public sealed class RgbaImage
{
    /// <summary>A picture around existing pixels, which are not copied.</summary>
    /// <exception cref="ArgumentException">The array does not have 4 * width * height bytes.</exception>
    public RgbaImage(int width, int height, byte[] pixels)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        if (pixels.Length != 4L * width * height)
        {
            throw new ArgumentException($"pixels: wanted {4L * width * height} bytes for {width} x {height}, got {pixels.Length}", nameof(pixels));
        }

        Width = width;
        Height = height;
        Pixels = pixels;
    }

    /// <summary>Pixels in a row.</summary>
    public int Width { get; }

    /// <summary>Rows.</summary>
    public int Height { get; }

    /// <summary>Red, green, blue, opacity of each pixel, left to right, top row first.</summary>
    public byte[] Pixels { get; }

    /// <summary>The picture over a background of one colour, mixed in sRGB values and rounded to nearest.</summary>
    public RgbImage Over(byte red, byte green, byte blue)
    {
        var image = new RgbImage(Width, Height);
        ReadOnlySpan<byte> background = [red, green, blue];
        for (int i = 0; i < Width * Height; i++)
        {
            int opacity = Pixels[(4 * i) + 3];
            for (int c = 0; c < 3; c++)
            {
                int mixed = (Pixels[(4 * i) + c] * opacity) + (background[c] * (255 - opacity));
                image.Pixels[(3 * i) + c] = (byte)((mixed + 127) / 255);
            }
        }

        return image;
    }
}
