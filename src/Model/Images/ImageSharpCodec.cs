using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats;
using SixLabors.ImageSharp.Formats.Jpeg;
using SixLabors.ImageSharp.Formats.Webp;
using SixLabors.ImageSharp.Memory;
using SixLabors.ImageSharp.PixelFormats;

namespace CoGrpo.Model.Images;

/// <summary>JPEG and WebP by ImageSharp (docs/decisions/0010). No other format of that library can be reached, whatever the bytes say.</summary>
internal static class ImageSharpCodec
{
    private const int MostMegabytes = 1024;

    private static ReadOnlySpan<byte> StartOfScan => [0xFF, 0xDA];

    private static ReadOnlySpan<byte> EndOfImage => [0xFF, 0xD9];

    private static readonly Configuration Known = new(new JpegConfigurationModule(), new WebpConfigurationModule())
    {
        MaxDegreeOfParallelism = 1,
        MemoryAllocator = MemoryAllocator.Create(new MemoryAllocatorOptions { AllocationLimitMegabytes = MostMegabytes }),
    };

    /// <summary>The bytes of a JPEG file, baseline, chroma at half size in both directions (4:2:0), with libjpeg's tables of this quality.</summary>
    public static byte[] EncodeJpeg(RgbImage image, int quality)
    {
        using Image<Rgb24> copy = Image.LoadPixelData<Rgb24>(Known, image.Pixels, image.Width, image.Height);
        using var stream = new MemoryStream();
        copy.Save(stream, new JpegEncoder { Quality = quality, ColorType = JpegColorType.YCbCrRatio420 });
        return stream.ToArray();
    }

    /// <summary>Decodes a JPEG file. Its end must be there: the library would show the missing part as grey.</summary>
    /// <exception cref="ModelException">The content is malformed, cut off or too large.</exception>
    public static RgbaImage DecodeJpeg(byte[] bytes, string name) =>
        bytes.AsSpan().LastIndexOf(EndOfImage) > bytes.AsSpan().LastIndexOf(StartOfScan) ? Decode(bytes, name, "JPEG", new JpegDecoder())
            : throw Wrong(name, "JPEG", "a file without its end");

    /// <summary>Decodes a WebP file of one picture.</summary>
    /// <exception cref="ModelException">The content is malformed, cut off, too large or moves.</exception>
    public static RgbaImage DecodeWebp(byte[] bytes, string name) =>
        bytes.Length - 8 >= BitConverter.ToUInt32(bytes, 4) ? Decode(bytes, name, "WebP", new WebpDecoder())
            : throw Wrong(name, "WebP", $"{bytes.Length} bytes where its header says {8L + BitConverter.ToUInt32(bytes, 4)}");

    private static RgbaImage Decode(byte[] bytes, string name, string format, IImageDecoder decoder)
    {
        try
        {
            using var stream = new MemoryStream(bytes);
            IImageInfo info = Image.Identify(Known, stream, out _) ?? throw Wrong(name, format, "a header that says no size");
            if (
                info.Width is < 1 or > PngHeader.MaxSide
                || info.Height is < 1 or > PngHeader.MaxSide
                || (long)info.Width * info.Height > PngHeader.MaxPixels
            )
            {
                throw new ModelException($"{name}: wanted sides of 1 to {PngHeader.MaxSide} and at most {PngHeader.MaxPixels} pixels, got {info.Width} x {info.Height}; scale the picture down");
            }

            using Image<Rgba32> image = Image.Load<Rgba32>(Known, bytes, decoder);
            byte[] pixels = new byte[4 * image.Width * image.Height];
            image.CopyPixelDataTo(pixels);
            return new RgbaImage(image.Width, image.Height, pixels);
        }
        catch (Exception error) when (error is not (ModelException or OutOfMemoryException))
        {
            // Malformed content ends in more kinds of exceptions than the library documents.
            throw Wrong(name, format, error.Message.ReplaceLineEndings(" ").TrimEnd('.'));
        }
    }

    private static ModelException Wrong(string name, string format, string found) =>
        new($"{name}: wanted a whole {format} picture, got {found}; the file is damaged, fetch or write it again");
}
