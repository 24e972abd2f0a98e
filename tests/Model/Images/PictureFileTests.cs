using CoGrpo.Model;
using CoGrpo.Model.Images;
using SixLabors.ImageSharp.PixelFormats;

namespace CoGrpo.Tests.Model.Images;

public sealed class PictureFileTests
{
    private static readonly int[] LuminanceTable = [16, 11, 12, 14, 12, 10, 16, 14];

    [Fact]
    public void A_picture_is_known_by_its_content()
    {
        using TemporaryFolder folder = new();
        RgbImage picture = Smooth(40, 24);
        File.WriteAllBytes(folder.File("png.jpg"), PngWriter.Encode(picture));
        RgbImage grey = new(40, 24, [.. picture.Pixels.Select((_, i) => picture.Pixels[i / 3 * 3])]);
        File.WriteAllBytes(folder.File("jpeg.png"), JpegWriter.Encode(grey, 95));
        File.WriteAllBytes(folder.File("webp"), Webp(picture));
        Assert.Equal(picture.Pixels, PictureFile.Read(folder.File("png.jpg")).Pixels);
        Assert.Equal(picture.Pixels, PictureFile.Read(folder.File("webp")).Pixels);
        RgbImage lossy = PictureFile.Read(folder.File("jpeg.png"));
        Assert.Equal((40, 24), (lossy.Width, lossy.Height));

        // Without colour only the steps of the luminance table are lost, at most 6 of a coefficient at this quality.
        Assert.InRange(lossy.Pixels.Zip(grey.Pixels, (a, b) => Math.Abs(a - b)).Max(), 1, 6);
    }

    /// <summary>The standard's luminance table (zigzag order) at quality 75 is half of that at 50, and a 2 x 2 luminance sampling is 4:2:0.</summary>
    [Fact]
    public void JPEG_has_the_tables_and_the_sampling_of_the_published_layout()
    {
        byte[] file = JpegWriter.Encode(Smooth(33, 17));
        int table = file.AsSpan().IndexOf((ReadOnlySpan<byte>)[0xFF, 0xDB]);
        Assert.Equal(0, file[table + 4]);
        Assert.Equal(LuminanceTable.Select(value => ((value * 50) + 50) / 100), file.Skip(table + 5).Take(8).Select(value => (int)value));
        int frame = file.AsSpan().IndexOf((ReadOnlySpan<byte>)[0xFF, 0xC0]);
        Assert.Equal([8, 0, 17, 0, 33, 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1], file.Skip(frame + 4).Take(15).Select(value => (int)value));
    }

    [Fact]
    public void Truncated_pictures_are_one_line()
    {
        RgbImage picture = Smooth(64, 64);
        foreach (byte[] file in new[] { PngWriter.Encode(picture), JpegWriter.Encode(picture), Webp(picture) })
        {
            for (int length = 0; length < file.Length; length += 1 + (file.Length / 37))
            {
                Refused(file[..length]);
            }
        }
    }

    [Fact]
    public void Damaged_pictures_end_in_one_line_or_a_picture()
    {
        var random = new Random(1);
        foreach (byte[] file in new[] { JpegWriter.Encode(Smooth(32, 32)), Webp(Smooth(32, 32)) })
        {
            for (int i = 0; i < 300; i++)
            {
                byte[] damaged = [.. file];
                for (int k = 0; k < 1 + (i % 4); k++)
                {
                    damaged[random.Next(3, damaged.Length)] = (byte)random.Next(256);
                }

                if (Record.Exception(() => PictureFile.Decode(damaged, "x")) is { } error)
                {
                    Assert.IsType<ModelException>(error);
                    Assert.DoesNotContain('\n', error.Message);
                }
            }
        }
    }

    [Fact]
    public void Huge_sizes_are_refused_before_memory_is_taken()
    {
        byte[] jpeg = JpegWriter.Encode(Smooth(16, 16));
        int frame = jpeg.AsSpan().IndexOf((ReadOnlySpan<byte>)[0xFF, 0xC0]);
        jpeg.AsSpan(frame + 5, 4).Fill(0xFF);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Contains("65535 x 65535", Refused(jpeg), StringComparison.Ordinal);
        byte[] png = PngWriter.Encode(Smooth(16, 16));
        png.AsSpan(16, 8).Fill(0x7F);
        Refused(png);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 16 << 20);
    }

    [Fact]
    public void What_is_no_picture_is_refused()
    {
        Assert.Contains("empty file", Refused([]), StringComparison.Ordinal);
        Assert.Contains("wanted a PNG, JPEG or WebP picture", Refused("GIF89a and more bytes"u8.ToArray()), StringComparison.Ordinal);
        Assert.Contains("none.png", Assert.Throws<ModelException>(() => PictureFile.Read("none.png")).Message, StringComparison.Ordinal);
        Assert.Throws<ModelException>(() => PictureFile.Read(Path.GetTempPath()));
    }

    private static string Refused(byte[] file)
    {
        Exception? error = Record.Exception(() => PictureFile.Decode(file, "x"));
        Assert.True(error is ModelException or PngException, $"{file.Length} bytes: {error}");
        Assert.DoesNotContain('\n', error!.Message);
        return error.Message;
    }

    private static RgbImage Smooth(int width, int height)
    {
        var picture = new RgbImage(width, height);
        for (int i = 0; i < picture.Pixels.Length; i++)
        {
            picture.Pixels[i] = (byte)(128 + (100 * Math.Sin((i / 3 % width / 9.0) + (i / 3 / width / 7.0) + (i % 3))));
        }

        return picture;
    }

    private static byte[] Webp(RgbImage picture)
    {
        using var image = SixLabors.ImageSharp.Image.LoadPixelData<Rgb24>(picture.Pixels, picture.Width, picture.Height);
        using var stream = new MemoryStream();
        image.Save(
            stream,
            new SixLabors.ImageSharp.Formats.Webp.WebpEncoder { FileFormat = SixLabors.ImageSharp.Formats.Webp.WebpFileFormatType.Lossless }
        );
        return stream.ToArray();
    }
}
