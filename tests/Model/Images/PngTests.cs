using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;
using System.Text;
using CoGrpo.Model.Images;

namespace CoGrpo.Tests.Model.Images;

public sealed class PngTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 5)]
    [InlineData(64, 64)]
    [InlineData(257, 31)]
    public void Written_pictures_read_back_exactly_and_deterministically(int width, int height)
    {
        RgbImage image = Picture(width, height);
        byte[] file = PngWriter.Encode(image);
        Assert.Equal(file, PngWriter.Encode(image));
        Assert.Equal(image.Pixels, PngReader.Decode(file, "memory").Over(9, 9, 9).Pixels);
    }

    [Fact]
    public void Smooth_pictures_compress()
    {
        var image = new RgbImage(128, 128);
        for (int i = 0; i < image.Pixels.Length; i++)
        {
            image.Pixels[i] = (byte)((i / 3 % 128) + (i / 3 / 128));
        }

        Assert.InRange(PngWriter.Encode(image).Length, 1, 2000);
    }

    [Fact]
    public void Files_are_written_and_missing_ones_refused()
    {
        using var folder = new TemporaryFolder();
        RgbImage image = Picture(4, 4);
        PngWriter.Write(folder.File("a.png"), image);
        Assert.Equal(image.Pixels, PngReader.Read(folder.File("a.png")).Over(0, 0, 0).Pixels);
        Assert.Throws<PngException>(() => PngReader.Read(folder.File("b.png")));
        Assert.Throws<PngException>(() => PngReader.Read(folder.Path));
    }

    [Theory]
    [InlineData(1, new byte[] { 0b1010_0000 }, new byte[] { 255, 0, 255 })]
    [InlineData(2, new byte[] { 0b0001_1000 }, new byte[] { 0, 85, 170 })]
    [InlineData(4, new byte[] { 0x0f, 0x70 }, new byte[] { 0, 255, 119 })]
    [InlineData(8, new byte[] { 1, 2, 3 }, new byte[] { 1, 2, 3 })]
    [InlineData(16, new byte[] { 0xff, 0xff, 0x80, 0x00, 0x00, 0x81 }, new byte[] { 255, 128, 1 })]
    public void Grey_of_every_depth(int depth, byte[] row, byte[] expected)
    {
        byte[] rgba = Decode(3, 1, depth, 0, 0, [0, .. row]);
        Assert.Equal(expected.SelectMany(v => new[] { v, v, v, (byte)255 }), rgba);
    }

    [Fact]
    public void Palette_alpha_and_transparent_colours()
    {
        byte[] palette = [10, 20, 30, 40, 50, 60];
        Assert.Equal(
            [40, 50, 60, 255, 10, 20, 30, 7, 0, 0, 0, 255],
            Decode(3, 1, 2, 3, 0, [0, 0b0100_1100], ("PLTE", palette), ("tRNS", [7])));
        Assert.Equal([5, 5, 5, 9], Decode(1, 1, 8, 4, 0, [0, 5, 9]));
        Assert.Equal([1, 2, 3, 4], Decode(1, 1, 8, 6, 0, [0, 1, 2, 3, 4]));
        Assert.Equal([255, 0, 255, 128], Decode(1, 1, 16, 6, 0, [0, 255, 255, 0, 0, 255, 255, 128, 0]));
        Assert.Equal([1, 2, 3, 0, 1, 2, 4, 255], Decode(2, 1, 8, 2, 0, [0, 1, 2, 3, 1, 2, 4], ("tRNS", [0, 1, 0, 2, 0, 3])));
        Assert.Equal([6, 6, 6, 0, 7, 7, 7, 255], Decode(2, 1, 8, 0, 0, [0, 6, 7], ("tRNS", [0, 6])));
    }

    [Fact]
    public void Every_row_filter_is_undone()
    {
        // The third row is 4, 5, 6 under each predictor, by hand from the row above it, 1, 2, 3.
        foreach ((byte filter, byte[] row) in new (byte, byte[])[]
                 {
                     (0, [4, 5, 6]), (1, [4, 1, 1]), (2, [3, 3, 3]), (3, [4, 2, 2]), (4, [3, 1, 1]),
                 })
        {
            byte[] rgba = Decode(3, 2, 8, 0, 0, [0, 1, 2, 3, filter, .. row]);
            Assert.Equal([1, 2, 3, 4, 5, 6], rgba.Where((_, i) => i % 4 == 0));
        }
    }

    [Fact]
    public void Interlaced_pictures_are_put_together()
    {
        // 3 x 3 grey: passes 1 (0,0), 4 (2,0), 5 (0,2)(2,2), 6 (1,0) / (1,2), 7 row 1.
        byte[] data = [0, 1, 0, 3, 0, 7, 9, 0, 2, 0, 8, 0, 4, 5, 6];
        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8, 9], Decode(3, 3, 8, 0, 1, data).Where((_, i) => i % 4 == 0));
    }

    [Fact]
    public void Opacity_mixes_with_the_background()
    {
        var image = new RgbaImage(3, 1, [200, 100, 0, 255, 200, 100, 0, 0, 200, 100, 0, 128]);
        Assert.Equal([200, 100, 0, 0, 0, 255, 100, 50, 127], image.Over(0, 0, 255).Pixels);
    }

    [Theory]
    [InlineData("empty", "signature")]
    [InlineData("cut", "expected")]
    [InlineData("checksum", "checksum")]
    [InlineData("zero width", "size")]
    [InlineData("huge", "size")]
    [InlineData("depth", "colour")]
    [InlineData("method", "methods")]
    [InlineData("no palette", "PLTE")]
    [InlineData("late palette", "before IDAT")]
    [InlineData("split data", "adjacent")]
    [InlineData("unknown critical", "critical")]
    [InlineData("bomb", "more")]
    [InlineData("short", "IDAT")]
    [InlineData("claims much", "IDAT")]
    [InlineData("bad filter", "filters")]
    [InlineData("not zlib", "zlib")]
    public void Malformed_files_are_refused(string fault, string message)
    {
        byte[] good = FileOf(2, 1, 8, 0, 0, Zip([0, 1, 2]));
        byte[] file = fault switch
        {
            "empty" => [],
            "cut" => good[..^1],
            "checksum" => [.. good[..20], (byte)(good[20] ^ 1), .. good[21..]],
            "zero width" => FileOf(0, 1, 8, 0, 0, Zip([0])),
            "huge" => FileOf(32768, 32768, 8, 0, 0, Zip([0])),
            "depth" => FileOf(1, 1, 3, 0, 0, Zip([0, 1])),
            "method" => FileOf(1, 1, 8, 0, 2, Zip([0, 1])),
            "no palette" => FileOf(1, 1, 8, 3, 0, Zip([0, 1])),
            "late palette" => [.. good[..^12], .. Chunk("PLTE", [1, 2, 3])],
            "split data" => [.. good[..^12], .. Chunk("tEXt", []), .. Chunk("IDAT", [])],
            "unknown critical" => [.. good[..^12], .. Chunk("ABCD", [])],
            "bomb" => FileOf(2, 1, 8, 0, 0, Zip(new byte[10_000_000])),
            "short" => FileOf(2, 2, 8, 0, 0, Zip([0, 1, 2])),
            "claims much" => FileOf(8000, 8000, 8, 6, 0, Zip([0])),
            "bad filter" => FileOf(2, 1, 8, 0, 0, Zip([5, 1, 2])),
            _ => FileOf(2, 1, 8, 0, 0, [1, 2, 3, 4]),
        };
        var e = Assert.Throws<PngException>(() => PngReader.Decode(file, "memory"));
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Mutations_give_a_png_error_or_a_picture_and_nothing_else()
    {
        byte[][] valid =
        [
            FileOf(5, 3, 4, 3, 1, Zip(new byte[64]), ("PLTE", new byte[12]), ("tRNS", [1, 2])),
            FileOf(3, 3, 16, 6, 0, Zip(new byte[75])), PngWriter.Encode(Picture(4, 4)),
        ];
        var random = new Random(7);
        int refused = 0;
        for (int round = 0; round < 30_000; round++)
        {
            byte[] file = (byte[])valid[round % valid.Length].Clone();
            for (int edits = random.Next(1, 4); edits > 0; edits--)
            {
                file[random.Next(8, file.Length)] = (byte)random.Next(256);
            }

            RepairChecksums(file);
            try
            {
                PngReader.Decode(file.AsSpan(0, random.Next(8) == 0 ? random.Next(file.Length) : file.Length), "memory");
            }
            catch (PngException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, 1, 29_999);
    }

    private static byte[] Decode(int width, int height, int depth, int color, int interlace, byte[] data, params (string, byte[])[] chunks) =>
        PngReader.Decode(FileOf(width, height, depth, color, interlace, Zip(data), chunks), "memory").Pixels;

    private static byte[] FileOf(int width, int height, int depth, int color, int interlace, byte[] compressed, params (string, byte[])[] chunks)
    {
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        (header[8], header[9], header[12]) = ((byte)depth, (byte)color, (byte)interlace);
        return
        [
            0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, .. Chunk("IHDR", header), .. chunks.SelectMany(c => Chunk(c.Item1, c.Item2)),
            .. Chunk("IDAT", compressed), .. Chunk("IEND", []),
        ];
    }

    private static byte[] Chunk(string type, byte[] data)
    {
        byte[] body = [.. Encoding.ASCII.GetBytes(type), .. data];
        var chunk = new byte[body.Length + 8];
        BinaryPrimitives.WriteInt32BigEndian(chunk, data.Length);
        body.CopyTo(chunk, 4);
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(chunk.Length - 4), Crc32.HashToUInt32(body));
        return chunk;
    }

    /// <summary>Makes the checksums right again, as far as the chunk structure still holds, so that edits get past them.</summary>
    private static void RepairChecksums(byte[] file)
    {
        int at = 8;
        while (at + 12 <= file.Length)
        {
            int length = BinaryPrimitives.ReadInt32BigEndian(file.AsSpan(at));
            if (length < 0 || length > file.Length - at - 12)
            {
                return;
            }

            BinaryPrimitives.WriteUInt32BigEndian(file.AsSpan(at + 8 + length), Crc32.HashToUInt32(file.AsSpan(at + 4, 4 + length)));
            at += 12 + length;
        }
    }

    private static byte[] Zip(byte[] data)
    {
        using var stream = new MemoryStream();
        using (var zip = new ZLibStream(stream, CompressionLevel.Optimal))
        {
            zip.Write(data);
        }

        return stream.ToArray();
    }

    private static RgbImage Picture(int width, int height)
    {
        var image = new RgbImage(width, height);
        new Random(width).NextBytes(image.Pixels);
        return image;
    }
}
