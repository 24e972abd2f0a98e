using System.Buffers.Binary;

namespace CoGrpo.Rl.Prompts;

/// <summary>
/// Walks the description at the end of a Parquet file, a structure of Thrift's compact protocol, and sees that it ends where the file says: the library that reads it never comes back from
/// one that does not end.
/// </summary>
internal ref struct ParquetFooter
{
    private const int EndBytes = 8;
    private const int MostBytes = 64 << 20;
    private const int MostDepth = 32;

    private readonly ReadOnlySpan<byte> _bytes;
    private int _at;

    private ParquetFooter(ReadOnlySpan<byte> bytes) => _bytes = bytes;

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
        var walk = new ParquetFooter(footer);
        walk.Structure(0);
        if (walk._at != length)
        {
            throw Damaged();
        }

        stream.Position = start;
    }

    private static InvalidDataException Damaged() => new("a damaged description of its columns");

    private void Structure(int depth)
    {
        if (depth > MostDepth)
        {
            throw Damaged();
        }

        // A field is the distance to the last one's number and its type, or a type and the number itself; zero ends.
        for (byte field = Byte(); field != 0; field = Byte())
        {
            if (field >> 4 == 0)
            {
                Number();
            }

            // The value of a truth is its type.
            if ((field & 15) is not (1 or 2))
            {
                Value(field & 15, depth);
            }
        }
    }

    private void Value(int type, int depth)
    {
        switch (type)
        {
            case 1 or 2 or 3:
                Skip(1);
                break;
            case 4 or 5 or 6:
                Number();
                break;
            case 7:
                Skip(8);
                break;
            case 8:
                Skip(Number());
                break;
            case 9 or 10:
                byte list = Byte();
                ulong count = list >> 4 == 15 ? Number() : (ulong)(list >> 4);
                for (ulong i = 0; i < count; i++)
                {
                    Value(list & 15, depth + 1);
                }

                break;
            case 11:
                ulong pairs = Number();
                byte types = pairs == 0 ? (byte)0 : Byte();
                for (ulong i = 0; i < pairs; i++)
                {
                    Value(types >> 4, depth + 1);
                    Value(types & 15, depth + 1);
                }

                break;
            case 12:
                Structure(depth + 1);
                break;
            default:
                throw Damaged();
        }
    }

    private byte Byte() => _at < _bytes.Length ? _bytes[_at++] : throw Damaged();

    private ulong Number()
    {
        ulong number = 0;
        for (int shift = 0; shift < 70; shift += 7)
        {
            byte part = Byte();
            number |= (ulong)(part & 127) << shift;
            if (part < 128)
            {
                return number;
            }
        }

        throw Damaged();
    }

    private void Skip(ulong bytes) => _at = bytes <= (ulong)(_bytes.Length - _at) ? _at + (int)bytes : throw Damaged();
}
