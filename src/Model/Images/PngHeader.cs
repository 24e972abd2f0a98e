using System.Buffers.Binary;

namespace CoGrpo.Model.Images;

/// <summary>The IHDR chunk of a PNG file, validated.</summary>
internal readonly record struct PngHeader(int Width, int Height, int Depth, PngColor Color, bool Interlaced)
{
    public const int MaxSide = 1 << 15;
    public const long MaxPixels = 1 << 26;

    /// <summary>Samples of one pixel.</summary>
    public int Channels => Color switch
    {
        PngColor.Rgb => 3,
        PngColor.GreyAlpha => 2,
        PngColor.RgbAlpha => 4,
        _ => 1,
    };

    /// <summary>Whole bytes from a byte to the one left of it that filters refer to.</summary>
    public int FilterDistance => Math.Max(1, Channels * Depth / 8);

    /// <summary>The pixel grids in which the picture is stored: one, or the seven of Adam7.</summary>
    public ReadOnlySpan<PngPass> Passes => Interlaced ? PngPass.Adam7 : PngPass.Whole;

    /// <summary>Bytes of a row of <paramref name="width"/> pixels, without the filter byte.</summary>
    public int RowBytes(int width) => (int)((((long)width * Channels * Depth) + 7) / 8);

    /// <summary>Bytes of the whole decompressed stream.</summary>
    public long StreamBytes()
    {
        long bytes = 0;
        foreach (PngPass pass in Passes)
        {
            (int width, int height) = pass.Size(this);
            bytes += width == 0 ? 0 : (long)height * (1 + RowBytes(width));
        }

        return bytes;
    }

    public static PngHeader Parse(string file, ReadOnlySpan<byte> data)
    {
        const string Convert = "convert the picture to an 8-bit PNG";
        if (data.Length != 13)
        {
            throw new PngException(file, "IHDR", "13 bytes", $"{data.Length}", "the file is damaged; fetch or write it again");
        }

        uint width = BinaryPrimitives.ReadUInt32BigEndian(data);
        uint height = BinaryPrimitives.ReadUInt32BigEndian(data[4..]);
        if (width is 0 or > MaxSide || height is 0 or > MaxSide || (long)width * height > MaxPixels)
        {
            throw new PngException(
                file,
                "size",
                $"sides of 1 to {MaxSide} and at most {MaxPixels} pixels",
                $"{width} x {height}",
                "scale the picture down"
            );
        }

        int depth = data[8];
        var color = (PngColor)data[9];
        bool known = color switch
        {
            PngColor.Grey => depth is 1 or 2 or 4 or 8 or 16,
            PngColor.Palette => depth is 1 or 2 or 4 or 8,
            PngColor.Rgb or PngColor.GreyAlpha or PngColor.RgbAlpha => depth is 8 or 16,
            _ => false,
        };
        if (!known)
        {
            throw new PngException(file, "colour", "a combination of type and depth of the PNG standard", $"type {data[9]} depth {depth}", Convert);
        }

        if (data[10] != 0 || data[11] != 0 || data[12] > 1)
        {
            throw new PngException(file, "methods", "compression 0, filter 0, interlace 0 or 1", $"{data[10]}, {data[11]}, {data[12]}", Convert);
        }

        return new PngHeader((int)width, (int)height, depth, color, data[12] == 1);
    }
}
