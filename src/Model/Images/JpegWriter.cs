namespace CoGrpo.Model.Images;

/// <summary>Makes JPEG files, for layouts that want them; <see cref="PngWriter"/> loses nothing.</summary>
public static class JpegWriter
{
    /// <summary>What Pillow saves with when nothing else is said.</summary>
    public const int DefaultQuality = 75;

    /// <summary>The bytes of a baseline JPEG file with chroma at half size (4:2:0) and libjpeg's tables for <paramref name="quality"/>.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="quality">1 to 100.</param>
    public static byte[] Encode(RgbImage image, int quality = DefaultQuality)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentOutOfRangeException.ThrowIfLessThan(quality, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(quality, 100);
        return ImageSharpCodec.EncodeJpeg(image, quality);
    }
}
