namespace CoGrpo.Rl.Prompts;

/// <summary>
/// Walks structures of Thrift's compact protocol, in which Parquet describes a file and its pages, and sees that they end within their bytes.
/// </summary>
internal ref struct ThriftWalk
{
    /// <summary>The type of a structure.</summary>
    public const int StructureType = 12;

    /// <summary>The type of a whole number of 32 bits.</summary>
    public const int NumberType = 5;

    private const int MostDepth = 32;

    private readonly ReadOnlySpan<byte> _bytes;

    /// <summary>A walk from the first of <paramref name="bytes"/>.</summary>
    public ThriftWalk(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    /// <summary>Bytes walked over.</summary>
    public int At { get; private set; }

    /// <summary>Walks over a structure.</summary>
    /// <exception cref="InvalidDataException">It does not end, or holds what the protocol does not know; so do all members.</exception>
    public void Structure(int depth = 0)
    {
        if (depth > MostDepth)
        {
            throw Damaged();
        }

        for (int number = 0; Field(ref number, out int type);)
        {
            Value(type, depth);
        }
    }

    /// <summary>Goes to the next field of a structure, whose last one was <paramref name="number"/>, 0 at first; false where it ends.</summary>
    public bool Field(ref int number, out int type)
    {
        // A field is the distance to the last one's number and its type, or a type and the number itself; zero ends.
        byte field = Byte();
        type = field & 15;
        number = field >> 4 == 0 && field != 0 ? Number() : number + (field >> 4);
        return field != 0;
    }

    /// <summary>Reads a whole number of 32 bits, the value of a field that is said to be of this type.</summary>
    public int Number(int type) => type == NumberType ? Number() : throw Damaged();

    /// <summary>Walks over a field's value.</summary>
    public void Value(int type, int depth = 0)
    {
        // The value of a truth is its type.
        if (type is not (1 or 2))
        {
            Element(type, depth);
        }
    }

    private void Element(int type, int depth)
    {
        switch (type)
        {
            case 1 or 2 or 3:
                Skip(1);
                break;
            case 4 or NumberType or 6:
                Bits();
                break;
            case 7:
                Skip(8);
                break;
            case 8:
                Skip(Bits());
                break;
            case 9 or 10:
                byte list = Byte();
                ulong count = list >> 4 == 15 ? Bits() : (ulong)(list >> 4);
                for (ulong i = 0; i < count; i++)
                {
                    Element(list & 15, depth + 1);
                }

                break;
            case 11:
                ulong pairs = Bits();
                byte types = pairs == 0 ? (byte)0 : Byte();
                for (ulong i = 0; i < pairs; i++)
                {
                    Element(types >> 4, depth + 1);
                    Element(types & 15, depth + 1);
                }

                break;
            case StructureType:
                Structure(depth + 1);
                break;
            default:
                throw Damaged();
        }
    }

    private static InvalidDataException Damaged() => new("a damaged description of its columns or pages");

    private byte Byte() => At < _bytes.Length ? _bytes[At++] : throw Damaged();

    /// <summary>The lowest bit is the sign, and more than 32 bits are cut as the library cuts them.</summary>
    private int Number()
    {
        ulong bits = Bits();
        return (int)((uint)(bits >> 1) ^ (0u - (uint)(bits & 1)));
    }

    private ulong Bits()
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

    private void Skip(ulong bytes) => At = bytes <= (ulong)(_bytes.Length - At) ? At + (int)bytes : throw Damaged();
}
