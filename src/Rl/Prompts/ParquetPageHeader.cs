using Parquet.Meta;

namespace CoGrpo.Rl.Prompts;

/// <summary>What the header of a page says of it (PageHeader of parquet.thrift), none of it checked.</summary>
/// <param name="Length">Bytes of the header.</param>
/// <param name="Type">Its kind.</param>
/// <param name="Bytes">Bytes of the page when unpacked.</param>
/// <param name="PackedBytes">Bytes of the page in the file.</param>
/// <param name="Values">Values, nulls included.</param>
/// <param name="LevelBytes">Bytes in front that are never packed.</param>
/// <param name="IsPacked">Whether the others are, by the codec of the column.</param>
internal readonly record struct ParquetPageHeader(int Length, PageType Type, int Bytes, int PackedBytes, int Values, int LevelBytes, bool IsPacked)
{
    private const int DataField = 5;
    private const int DictionaryField = 7;
    private const int SecondDataField = 8;

    /// <summary>
    /// Reads a header at the start of <paramref name="bytes"/>. A field that is of another type than it should be, or stands twice, is refused: it
    /// could be read in two ways.
    /// </summary>
    /// <exception cref="InvalidDataException">It is damaged, or longer than the bytes.</exception>
    public static ParquetPageHeader Read(ReadOnlySpan<byte> bytes)
    {
        var walk = new ThriftWalk(bytes);
        (int kind, int unpacked, int packed) = (-1, -1, -1);
        (int Number, int Values, int LevelBytes, bool IsPacked) inner = default;
        for (int number = 0, last = 0; walk.Field(ref number, out int type); last = number)
        {
            if (number <= last)
            {
                throw new InvalidDataException("a page with a damaged header");
            }

            switch (number)
            {
                case 1:
                    kind = walk.Number(type);
                    break;
                case 2:
                    unpacked = walk.Number(type);
                    break;
                case 3:
                    packed = walk.Number(type);
                    break;
                case DataField or DictionaryField or SecondDataField when type == ThriftWalk.StructureType && inner.Number == 0:
                    inner = Inner(ref walk, number);
                    break;
                case DataField or DictionaryField or SecondDataField:
                    throw new InvalidDataException("a page with a damaged header");
                default:
                    walk.Value(type);
                    break;
            }
        }

        int wanted = (PageType)kind switch
        {
            PageType.DATA_PAGE => DataField,
            PageType.DICTIONARY_PAGE => DictionaryField,
            PageType.DATA_PAGE_V2 => SecondDataField,
            _ => 0,
        };
        return inner.Number == wanted
            ? new ParquetPageHeader(walk.At, (PageType)kind, unpacked, packed, inner.Values, inner.LevelBytes, inner.IsPacked)
            : throw new InvalidDataException("a page without the header of its kind");
    }

    /// <summary>
    /// Number of values, and of a page of the second version bytes of both levels and whether the rest is packed: so it is if nothing is said.
    /// </summary>
    private static (int Number, int Values, int LevelBytes, bool IsPacked) Inner(ref ThriftWalk walk, int field)
    {
        (int values, int definition, int repetition, bool isPacked) = (-1, 0, 0, true);
        for (int number = 0, last = 0; walk.Field(ref number, out int type); last = number)
        {
            if (number <= last)
            {
                throw new InvalidDataException("a page with a damaged header");
            }

            switch (number)
            {
                case 1:
                    values = walk.Number(type);
                    break;
                case 5 when field == SecondDataField:
                    definition = walk.Number(type);
                    break;
                case 6 when field == SecondDataField:
                    repetition = walk.Number(type);
                    break;
                case 7 when field == SecondDataField:
                    isPacked = type == 1;
                    break;
                default:
                    walk.Value(type);
                    break;
            }
        }

        // A sum beyond 32 bits is negative, which is refused as well.
        return (field, values, definition < 0 || repetition < 0 ? -1 : unchecked(definition + repetition), isPacked);
    }
}
