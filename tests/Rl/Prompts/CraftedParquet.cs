using System.Text;

namespace CoGrpo.Tests.Rl.Prompts;

/// <summary>
/// A Parquet file with one column <c>prompt</c> of text that may be null, put together from its parts, so that each can say what is not so.
/// </summary>
internal sealed record CraftedParquet
{
    private const int TextType = 6;

    /// <summary>Pages with their headers, one after the other behind the first four bytes.</summary>
    public required byte[][] Pages { get; init; }

    /// <summary>Rows of each group.</summary>
    public long Rows { get; init; } = 3;

    /// <summary>Values of the column in each group; null for <see cref="Rows"/>.</summary>
    public long? Values { get; init; }

    /// <summary>The codec of parquet.thrift: 0 none, 1 Snappy, 2 gzip, 6 Zstandard.</summary>
    public int Codec { get; init; }

    public long DataOffset { get; init; } = 4;

    public long? DictionaryOffset { get; init; }

    /// <summary>Row groups, all of the same pages.</summary>
    public int Groups { get; init; } = 1;

    public byte[] ToBytes()
    {
        List<(int, ThriftValue)> column =
        [
            (1, ThriftValue.I32(TextType)),
            (2, ThriftValue.List(ThriftValue.I32(0))),
            (3, ThriftValue.List(ThriftValue.Text("prompt"))),
            (4, ThriftValue.I32(Codec)),
            (5, ThriftValue.I64(Values ?? Rows)),
            (6, ThriftValue.I64(100)),
            (7, ThriftValue.I64(100)),
            (9, ThriftValue.I64(DataOffset)),
        ];
        if (DictionaryOffset is { } dictionary)
        {
            column.Add((11, ThriftValue.I64(dictionary)));
        }

        ThriftValue group = ThriftValue.Structure(
            (1, ThriftValue.List(ThriftValue.Structure((2, ThriftValue.I64(4)), (3, ThriftValue.Structure([.. column]))))),
            (2, ThriftValue.I64(100)),
            (3, ThriftValue.I64(Rows))
        );
        ThriftValue root = ThriftValue.Structure((4, ThriftValue.Text("schema")), (5, ThriftValue.I32(1)));
        ThriftValue prompt = ThriftValue.Structure(
            (1, ThriftValue.I32(TextType)),
            (3, ThriftValue.I32(1)),
            (4, ThriftValue.Text("prompt")),
            (6, ThriftValue.I32(0))
        );
        byte[] footer = ThriftValue
            .Structure(
                (1, ThriftValue.I32(1)),
                (2, ThriftValue.List(root, prompt)),
                (3, ThriftValue.I64(Rows * Groups)),
                (4, ThriftValue.List([.. Enumerable.Repeat(group, Groups)]))
            )
            .Bytes;
        return [.. "PAR1"u8, .. Pages.SelectMany(page => page), .. footer, .. BitConverter.GetBytes(footer.Length), .. "PAR1"u8];
    }

    /// <summary>A page of data of the first version; sizes are those of the content unless others are said.</summary>
    public static byte[] Data(byte[] content, long values, long? unpacked = null, long? packed = null, int encoding = 0) =>
        Page(
            0,
            content,
            unpacked,
            packed,
            (5, ThriftValue.Structure((1, ThriftValue.I32(values)), (2, ThriftValue.I32(encoding)), (3, ThriftValue.I32(3)), (4, ThriftValue.I32(3))))
        );

    /// <summary>A page of data of the second version.</summary>
    public static byte[] SecondData(byte[] content, long values, long levels, bool isPacked = false, long? unpacked = null, long? packed = null) =>
        Page(
            3,
            content,
            unpacked,
            packed,
            (
                8,
                ThriftValue.Structure(
                    (1, ThriftValue.I32(values)),
                    (2, ThriftValue.I32(0)),
                    (3, ThriftValue.I32(values)),
                    (4, ThriftValue.I32(0)),
                    (5, ThriftValue.I32(levels)),
                    (6, ThriftValue.I32(0)),
                    (7, ThriftValue.Truth(isPacked))
                )
            )
        );

    /// <summary>A page with a dictionary.</summary>
    public static byte[] Dictionary(byte[] content, long values) =>
        Page(2, content, null, null, (7, ThriftValue.Structure((1, ThriftValue.I32(values)), (2, ThriftValue.I32(0)))));

    /// <summary>A page whose header has any fields more.</summary>
    public static byte[] Page(int type, byte[] content, long? unpacked, long? packed, params (int Number, ThriftValue Value)[] more) =>
        [
            .. ThriftValue
                .Structure([
                    (1, ThriftValue.I32(type)),
                    (2, ThriftValue.I32(unpacked ?? content.Length)),
                    (3, ThriftValue.I32(packed ?? content.Length)),
                    .. more,
                ])
                .Bytes,
            .. content,
        ];

    /// <summary>Texts, each with its length in front.</summary>
    public static byte[] Texts(params string[] texts) =>
        [.. texts.SelectMany(text => (byte[])[.. BitConverter.GetBytes(Encoding.UTF8.GetByteCount(text)), .. Encoding.UTF8.GetBytes(text)])];

    /// <summary>The same number of one byte, this often: levels, or places in a dictionary.</summary>
    public static byte[] Run(long count, byte number) => [.. ThriftValue.Bits((ulong)count << 1), number];

    /// <summary>Levels as the first version has them, with their length in front: 1 for values, 0 for nulls.</summary>
    public static byte[] Levels(long count, byte level = 1) => [.. BitConverter.GetBytes(Run(count, level).Length), .. Run(count, level)];

    /// <summary>Places in a dictionary of up to 256 texts.</summary>
    public static byte[] Places(long count, byte place) => [8, .. Run(count, place)];
}
