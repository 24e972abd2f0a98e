namespace CoGrpo.Model.Images;

/// <summary>
/// Reads a picture by its content, whatever its name ends with: PNG (<see cref="PngReader"/>), JPEG or WebP. Sizes are bounded before memory is
/// taken; orientation tags and colour profiles are ignored.
/// </summary>
public static class PictureFile
{
    private const long MostBytes = 256L << 20;

    /// <summary>Reads the file at <paramref name="path"/>; what is transparent is seen on white.</summary>
    /// <exception cref="ModelException">The file cannot be opened, is no picture of these formats, too large, or a damaged JPEG or WebP.</exception>
    /// <exception cref="PngException">It is a damaged PNG.</exception>
    public static RgbImage Read(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        byte[] bytes;
        try
        {
            using FileStream stream = File.OpenRead(path);
            if (stream.Length > MostBytes)
            {
                throw new ModelException(
                    $"{path}: wanted a picture of at most {MostBytes >> 20} MiB, got {stream.Length >> 20}; check that it is a picture"
                );
            }

            bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new ModelException($"{path}: wanted a readable picture, got {error.Message.TrimEnd('.')}; check the path and its permissions");
        }

        return Decode(bytes, path);
    }

    /// <summary>Decodes a file in memory; <paramref name="name"/> is for messages.</summary>
    /// <exception cref="ModelException">As for <see cref="Read"/>.</exception>
    /// <exception cref="PngException">As for <see cref="Read"/>.</exception>
    public static RgbImage Decode(byte[] bytes, string name)
    {
        ArgumentNullException.ThrowIfNull(bytes);
        ReadOnlySpan<byte> start = bytes.AsSpan(0, Math.Min(12, bytes.Length));
        RgbaImage image = start switch
        {
            [0x89, (byte)'P', (byte)'N', (byte)'G', ..] => PngReader.Decode(bytes, name),
            [0xFF, 0xD8, 0xFF, ..] => ImageSharpCodec.DecodeJpeg(bytes, name),
            [(byte)'R', (byte)'I', (byte)'F', (byte)'F', _, _, _, _, (byte)'W', (byte)'E', (byte)'B', (byte)'P'] => ImageSharpCodec.DecodeWebp(
                bytes,
                name
            ),
            _ => throw new ModelException(
                $"{name}: wanted a PNG, JPEG or WebP picture, got {(bytes.Length == 0 ? "an empty file" : "other bytes")}; fetch or write it again"
            ),
        };
        return image.Over(255, 255, 255);
    }
}
