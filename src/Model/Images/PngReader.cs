using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;
using System.Text;

namespace CoGrpo.Model.Images;

/// <summary>
/// Reads PNG files of every colour type, depth and interlacing of the standard. Checksums are verified and sizes bounded before memory is
/// taken, so that hostile files end in <see cref="PngException"/>, nothing else, at bounded cost. Colour profiles and gamma are ignored:
/// values are taken as sRGB. Depth 16 is rounded to 8.
/// </summary>
public static class PngReader
{
    private const string Damaged = "the file is damaged or not a PNG; fetch or write it again";

    // No deflate stream expands further than this.
    private const long MaxExpansion = 1032;

    /// <summary>Reads the file at <paramref name="path"/>.</summary>
    /// <exception cref="PngException">The file cannot be opened or is malformed.</exception>
    public static RgbaImage Read(string path)
    {
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new PngException(path, "open", "a readable file", e.Message, "check the path and its permissions", e);
        }

        return Decode(bytes, path);
    }

    /// <summary>Decodes a PNG file in memory; <paramref name="name"/> is for messages.</summary>
    /// <exception cref="PngException">The content is malformed.</exception>
    public static RgbaImage Decode(ReadOnlySpan<byte> bytes, string name)
    {
        PngHeader header = Header(name, ref bytes);
        var palette = new PngPalette(name, header);
        using var compressed = new MemoryStream();
        bool inData = false;
        bool afterData = false;
        while (true)
        {
            ReadOnlySpan<byte> data = NextChunk(name, ref bytes, out string type);
            afterData |= inData && type != "IDAT";
            switch (type)
            {
                case "IDAT" when afterData:
                    throw new PngException(name, "IDAT", "adjacent IDAT chunks", $"another chunk between them", Damaged);
                case "IDAT":
                    inData = true;
                    compressed.Write(data);
                    break;
                case "PLTE" or "tRNS" when inData:
                    throw new PngException(name, type, "it before IDAT", "it after", Damaged);
                case "PLTE":
                    palette.SetColors(data);
                    break;
                case "tRNS":
                    palette.SetTransparency(data);
                    break;
                case "IEND":
                    return Decompress(name, header, palette, compressed);
                case not null when char.IsAsciiLetterUpper(type[0]):
                    throw new PngException(name, "chunk", "a critical chunk of the standard", type, Damaged);
            }
        }
    }

    /// <summary>Width and height of a PNG file in memory, whose pixels are not looked at; <paramref name="name"/> is for messages.</summary>
    /// <exception cref="PngException">Its beginning is malformed.</exception>
    public static (int Width, int Height) ReadSize(ReadOnlySpan<byte> bytes, string name)
    {
        PngHeader header = Header(name, ref bytes);
        return (header.Width, header.Height);
    }

    private static PngHeader Header(string name, ref ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<byte> signature = [0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10];
        if (!bytes.StartsWith(signature))
        {
            throw new PngException(name, "file", "a PNG signature", "other bytes", Damaged);
        }

        bytes = bytes[8..];
        ReadOnlySpan<byte> data = NextChunk(name, ref bytes, out string type);
        return type == "IHDR" ? PngHeader.Parse(name, data) : throw new PngException(name, "first chunk", "IHDR", type, Damaged);
    }

    private static ReadOnlySpan<byte> NextChunk(string name, ref ReadOnlySpan<byte> bytes, out string type)
    {
        if (bytes.Length < 12)
        {
            throw new PngException(name, "file", "chunks up to IEND", "its end", Damaged);
        }

        uint length = BinaryPrimitives.ReadUInt32BigEndian(bytes);
        if (length > bytes.Length - 12)
        {
            throw new PngException(name, "chunk", $"at most {bytes.Length - 12} bytes", $"{length}", Damaged);
        }

        ReadOnlySpan<byte> typeAndData = bytes.Slice(4, 4 + (int)length);
        uint stored = BinaryPrimitives.ReadUInt32BigEndian(bytes[(8 + (int)length)..]);
        bytes = bytes[(12 + (int)length)..];
        foreach (byte letter in typeAndData[..4])
        {
            if (!char.IsAsciiLetter((char)letter))
            {
                throw new PngException(name, "chunk type", "four letters", $"byte 0x{letter:x2}", Damaged);
            }
        }

        type = Encoding.ASCII.GetString(typeAndData[..4]);
        uint actual = Crc32.HashToUInt32(typeAndData);
        return actual == stored
            ? typeAndData[4..]
            : throw new PngException(name, $"{type} checksum", $"{stored:x8}", $"{actual:x8}", Damaged);
    }

    private static RgbaImage Decompress(string name, PngHeader header, PngPalette palette, MemoryStream compressed)
    {
        palette.RequireComplete();
        long wanted = header.StreamBytes();
        if (wanted > (compressed.Length * MaxExpansion) + MaxExpansion)
        {
            throw new PngException(name, "IDAT", $"data for {header.Width} x {header.Height} pixels", $"{compressed.Length} bytes", Damaged);
        }

        var pixels = new byte[4 * header.Width * header.Height];
        compressed.Position = 0;
        using var stream = new ZLibStream(compressed, CompressionMode.Decompress);
        try
        {
            foreach (PngPass pass in header.Passes)
            {
                ReadPass(name, header, pass, palette, stream, pixels);
            }

            // Reading on also makes the stream verify its own checksum.
            if (stream.ReadByte() >= 0)
            {
                throw new PngException(name, "IDAT", $"{wanted} bytes when decompressed", "more", Damaged);
            }
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            throw new PngException(name, "IDAT", $"a zlib stream of {wanted} bytes", e.Message, Damaged, e);
        }

        return new RgbaImage(header.Width, header.Height, pixels);
    }

    private static void ReadPass(string name, PngHeader header, PngPass pass, PngPalette palette, ZLibStream stream, byte[] pixels)
    {
        (int width, int height) = pass.Size(header);
        if (width == 0)
        {
            return;
        }

        var row = new byte[header.RowBytes(width)];
        var above = new byte[row.Length];
        for (int y = 0; y < height; y++)
        {
            int filter = stream.ReadByte();
            stream.ReadExactly(row);
            if (filter is < 0 or > 4)
            {
                throw new PngException(name, "IDAT", "row filters 0 to 4", filter < 0 ? "the end of the data" : $"{filter}", Damaged);
            }

            PngFilter.Undo((PngFilterKind)filter, row, above, header.FilterDistance);
            for (int x = 0; x < width; x++)
            {
                int at = ((pass.Y + (y * pass.StepY)) * header.Width) + pass.X + (x * pass.StepX);
                palette.ToRgba(row, x, pixels.AsSpan(4 * at, 4));
            }

            (row, above) = (above, row);
        }
    }
}
