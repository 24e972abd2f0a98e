using System.Buffers.Binary;
using Parquet.Meta;

namespace CoGrpo.Rl.Prompts;

/// <summary>
/// Looks at the headers of a column's pages before the library reads them, since it makes room for whatever a header says: sizes must fit the file,
/// numbers of values the rows, and all that is unpacked a bound that grows with the file.
/// </summary>
internal sealed class ParquetPages
{
    private const int MostHeaderBytes = 256 << 10;
    private const long MostRows = 1 << 24;

    private readonly Stream _file;
    private readonly byte[] _start;
    private readonly long _mostRows;
    private long _rows;
    private long _unpacked;

    /// <summary>For the column of a file, which may be one of several row groups.</summary>
    public ParquetPages(Stream file)
    {
        _file = file;
        _start = new byte[Math.Min(MostHeaderBytes, file.Length)];

        // A row takes a bit of its file or more where it is not the same as many others, and text seldom shrinks to a fiftieth.
        _mostRows = Math.Min(MostRows, (1 << 20) + (8 * file.Length));
        MostText = (256 << 20) + (64 * file.Length);
    }

    /// <summary>Most bytes or characters that the text of all rows may have.</summary>
    public long MostText { get; }

    /// <summary>Looks at the pages of the next row group, without repetition, and returns where the last one ends.</summary>
    /// <exception cref="InvalidDataException">A page claims what cannot be, or there are fewer than the rows need.</exception>
    public long Check(ColumnMetaData column, long rows)
    {
        _rows += rows;
        if (rows < 0 || _rows > _mostRows)
        {
            throw new InvalidDataException($"{(rows < 0 ? rows : _rows)} rows in a file of {_file.Length} bytes");
        }

        if (column.NumValues != rows)
        {
            throw new InvalidDataException($"{column.NumValues} values in {rows} rows");
        }

        long at = new[] { column.DictionaryPageOffset ?? 0, column.DataPageOffset }.Where(offset => offset != 0).DefaultIfEmpty().Min();
        for (long values = 0; values < rows;)
        {
            if (at < 1 || at >= _file.Length)
            {
                throw new InvalidDataException($"pages for {values} of {rows} values");
            }

            Span<byte> bytes = _start.AsSpan(0, (int)Math.Min(_start.Length, _file.Length - at));
            _file.Position = at;
            _file.ReadExactly(bytes);
            ParquetPageHeader header = ParquetPageHeader.Read(bytes);
            Check(header, column.Codec, bytes[header.Length..], _file.Length - at - header.Length, rows - values);
            values += header.Type == PageType.DICTIONARY_PAGE ? 0 : header.Values;
            at += header.Length + header.PackedBytes;
        }

        return at;
    }

    private void Check(in ParquetPageHeader header, CompressionCodec codec, ReadOnlySpan<byte> page, long left, long values)
    {
        if (header.Type is not (PageType.DATA_PAGE or PageType.DATA_PAGE_V2 or PageType.DICTIONARY_PAGE))
        {
            throw new InvalidDataException("a page of another kind than data or dictionary");
        }

        if (header.PackedBytes < 0 || header.PackedBytes > left)
        {
            throw new InvalidDataException($"a page of {header.PackedBytes} bytes with {left} left in the file");
        }

        _unpacked += header.Bytes;
        if (header.Bytes < 0 || _unpacked > MostText)
        {
            throw new InvalidDataException($"pages that unpack to {(header.Bytes < 0 ? header.Bytes : _unpacked)} bytes in a file of {_file.Length}");
        }

        // A text has its length, four bytes, in front.
        long most = header.Type == PageType.DICTIONARY_PAGE ? header.Bytes / 4 : values;
        if (header.Values < 0 || header.Values > most)
        {
            throw new InvalidDataException($"a page of {header.Values} values where there is room for {most}");
        }

        // What the packed bytes themselves say is believed as well.
        bool levels = header.LevelBytes >= 0 && header.LevelBytes <= Math.Min(header.PackedBytes, header.Bytes);
        int unpacked = header.Bytes - header.LevelBytes;
        if (
            !levels
            || (header.IsPacked && ClaimedBytes(codec, page[Math.Min(header.LevelBytes, page.Length)..]) is { } claimed && claimed != (ulong)unpacked)
        )
        {
            throw new InvalidDataException("a page whose sizes contradict each other");
        }
    }

    /// <summary>
    /// The size that bytes packed in Snappy's format, or in a frame of Zstandard (RFC 8878), say they unpack to; null if they do not say, or in
    /// another form.
    /// </summary>
    private static ulong? ClaimedBytes(CompressionCodec codec, ReadOnlySpan<byte> packed)
    {
        ulong claimed = 0;
        if (codec == CompressionCodec.SNAPPY)
        {
            for (int i = 0; i < Math.Min(5, packed.Length); i++)
            {
                claimed |= (ulong)(packed[i] & 127) << (7 * i);
                if (packed[i] < 128)
                {
                    return claimed;
                }
            }
        }

        if (codec != CompressionCodec.ZSTD || packed.Length < 18 || BinaryPrimitives.ReadUInt32LittleEndian(packed) != 0xFD2FB528)
        {
            return null;
        }

        int descriptor = packed[4];
        bool single = (descriptor & 32) != 0;
        int bytes = (descriptor >> 6) switch { 0 => single ? 1 : 0, 1 => 2, 2 => 4, _ => 8 };
        int at = 5 + (single ? 0 : 1) + ((descriptor & 3) switch { 3 => 4, var id => id });
        for (int i = 0; i < bytes; i++)
        {
            claimed |= (ulong)packed[at + i] << (8 * i);
        }

        return bytes == 0 ? null : bytes == 2 ? claimed + 256 : claimed;
    }
}
