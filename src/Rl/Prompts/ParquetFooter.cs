using System.Buffers.Binary;

namespace CoGrpo.Rl.Prompts;

/// <summary>
/// Sees that the description at the end of a Parquet file ends where the file says: the library that reads it never comes back from one that does not
/// end.
/// </summary>
internal static class ParquetFooter
{
    private const int EndBytes = 8;
    private const int MostBytes = 64 << 20;

    /// <summary>Reads the end of a file from its stream, which is left where it was.</summary>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public static void Check(Stream stream)
    {
        long start = stream.Position;
        byte[] end = new byte[EndBytes];
        if (stream.Length < 4 + EndBytes)
        {
            throw new InvalidDataException($"a file of {stream.Length} bytes");
        }

        stream.Seek(-EndBytes, SeekOrigin.End);
        stream.ReadExactly(end);
        int length = BinaryPrimitives.ReadInt32LittleEndian(end);
        if (!end.AsSpan(4).SequenceEqual("PAR1"u8) || length < 1 || length > Math.Min(MostBytes, stream.Length - EndBytes - 4))
        {
            throw new InvalidDataException("an end that is not that of a Parquet file");
        }

        byte[] footer = new byte[length];
        stream.Seek(-EndBytes - length, SeekOrigin.End);
        stream.ReadExactly(footer);
        var walk = new ThriftWalk(footer);
        walk.Structure();
        if (walk.At != length)
        {
            throw new InvalidDataException("a description of its columns that ends too early");
        }

        stream.Position = start;
    }
}
