namespace CoGrpo.Model.Images;

/// <summary>A picture of 8-bit sRGB pixels.</summary>
public sealed class RgbImage
{
    /// <summary>A black picture.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A size is less than 1 or the pixels exceed an array.</exception>
    public RgbImage(int width, int height)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(3L * width * height, Array.MaxLength, nameof(height));
        Width = width;
        Height = height;
        Pixels = new byte[3 * width * height];
    }

    /// <summary>A picture around existing pixels, which are not copied.</summary>
    /// <exception cref="ArgumentException">The array does not have 3 * width * height bytes.</exception>
    public RgbImage(int width, int height, byte[] pixels)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        if (pixels.Length != 3L * width * height)
        {
            throw new ArgumentException($"pixels: wanted {3L * width * height} bytes for {width} x {height}, got {pixels.Length}", nameof(pixels));
        }

        Width = width;
        Height = height;
        Pixels = pixels;
    }

    /// <summary>Pixels in a row.</summary>
    public int Width { get; }

    /// <summary>Rows.</summary>
    public int Height { get; }

    /// <summary>Red, green, blue of each pixel, left to right, top row first.</summary>
    public byte[] Pixels { get; }

    /// <summary>Fills the whole picture with one colour.</summary>
    public void Fill(byte red, byte green, byte blue)
    {
        for (int i = 0; i < Pixels.Length; i += 3)
        {
            Pixels[i] = red;
            Pixels[i + 1] = green;
            Pixels[i + 2] = blue;
        }
    }

    /// <summary>Draws <paramref name="source"/> with its top left corner at (<paramref name="x"/>, <paramref name="y"/>), each pixel as a square
    /// of <paramref name="scale"/> pixels.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The source does not lie within this picture.</exception>
    public void Draw(RgbImage source, int x, int y, int scale = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(scale, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(x);
        ArgumentOutOfRangeException.ThrowIfNegative(y);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(x + ((long)source.Width * scale), Width, nameof(x));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(y + ((long)source.Height * scale), Height, nameof(y));
        for (int row = 0; row < source.Height * scale; row++)
        {
            ReadOnlySpan<byte> from = source.Pixels.AsSpan(3 * source.Width * (row / scale), 3 * source.Width);
            Span<byte> to = Pixels.AsSpan(3 * (((y + row) * Width) + x), 3 * source.Width * scale);
            for (int column = 0; column < source.Width * scale; column++)
            {
                from.Slice(3 * (column / scale), 3).CopyTo(to[(3 * column)..]);
            }
        }
    }

    /// <summary>
    /// The picture at 1/<paramref name="factor"/> of its size: means of squares of pixels, rounded to nearest. Pixels that fill no square are left
    /// out.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The factor is less than 1 or more than the picture's smaller side.</exception>
    public RgbImage Shrink(int factor)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(factor, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(factor, Math.Min(Width, Height));
        var small = new RgbImage(Width / factor, Height / factor);
        int square = factor * factor;
        for (int y = 0; y < small.Height; y++)
        {
            for (int x = 0; x < 3 * small.Width; x++)
            {
                int sum = 0;
                for (int i = 0; i < square; i++)
                {
                    sum += Pixels[(3 * ((((y * factor) + (i / factor)) * Width) + (x / 3 * factor) + (i % factor))) + (x % 3)];
                }

                small.Pixels[(3 * y * small.Width) + x] = (byte)((sum + (square / 2)) / square);
            }
        }

        return small;
    }
}
