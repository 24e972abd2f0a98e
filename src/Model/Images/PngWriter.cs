using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;
using CoGrpo.Runtime.Files;

namespace CoGrpo.Model.Images;

/// <summary>Writes pictures as 8-bit RGB PNG files, without loss. The same picture always gives the same bytes.</summary>
public static class PngWriter
{
    /// <summary>Writes the picture to <paramref name="path"/>, replacing what is there in one step.</summary>
    /// <exception cref="IOException">The disk is full, the directory does not exist or another error of the file system.</exception>
    public static void Write(string path, RgbImage image) => AtomicFile.WriteAllBytes(path, Encode(image));

    /// <summary>The picture as a PNG file in memory.</summary>
    public static byte[] Encode(RgbImage image)
    {
        using var file = new MemoryStream();
        file.Write([0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10]);
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, image.Width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), image.Height);
        header[8] = 8;
        header[9] = (byte)PngColor.Rgb;
        WriteChunk(file, "IHDR"u8, header);
        WriteChunk(file, "IDAT"u8, Compress(image));
        WriteChunk(file, "IEND"u8, []);
        return file.ToArray();
    }

    private static byte[] Compress(RgbImage image)
    {
        using var compressed = new MemoryStream();
        using (var stream = new ZLibStream(compressed, CompressionLevel.Optimal, leaveOpen: true))
        {
            int rowBytes = 3 * image.Width;
            ReadOnlySpan<byte> above = new byte[rowBytes];
            var best = new byte[rowBytes];
            var candidate = new byte[rowBytes];
            for (int y = 0; y < image.Height; y++)
            {
                ReadOnlySpan<byte> row = image.Pixels.AsSpan(y * rowBytes, rowBytes);
                var bestKind = PngFilterKind.None;
                int bestCost = int.MaxValue;
                for (PngFilterKind kind = PngFilterKind.None; kind <= PngFilterKind.Paeth; kind++)
                {
                    int cost = PngFilter.Apply(kind, row, above, 3, candidate);
                    if (cost < bestCost)
                    {
                        (bestKind, bestCost) = (kind, cost);
                        (best, candidate) = (candidate, best);
                    }
                }

                stream.WriteByte((byte)bestKind);
                stream.Write(best);
                above = row;
            }
        }

        return compressed.ToArray();
    }

    private static void WriteChunk(MemoryStream file, ReadOnlySpan<byte> type, ReadOnlySpan<byte> data)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
        file.Write(number);
        file.Write(type);
        file.Write(data);
        var checksum = new Crc32();
        checksum.Append(type);
        checksum.Append(data);
        BinaryPrimitives.WriteUInt32BigEndian(number, checksum.GetCurrentHashAsUInt32());
        file.Write(number);
    }
}
