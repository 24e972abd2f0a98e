using System.Buffers.Binary;
using System.Text;
using static CoGrpo.Runtime.Files.UntrustedText;

namespace CoGrpo.Runtime.Files.Torch;

/// <summary>
/// The members of a zip file as <c>torch.save</c> writes it: stored, not compressed, on one disk, no comment, with or without zip64 records. Both
/// headers of each member are read and must agree, no two members may share a byte, and every member must lie in front of the directory, so what one
/// reader of the file finds every other finds too.
/// </summary>
internal sealed class StoredZip
{
    private const int EndBytes = 22;
    private const int LocatorBytes = 20;
    private const int End64Bytes = 56;
    private const int EntryBytes = 46;
    private const int LocalBytes = 30;
    private const int MostMembers = 1 << 17;
    private const long MostDirectoryBytes = 1 << 26;
    private const int LongestName = 512;
    private const int DescriptorFlag = 1 << 3;
    private const int Utf8Flag = 1 << 11;
    private const ushort Zip64Field = 1;
    private const string Damaged = "the file is damaged or was not written by torch.save; fetch or save it again";
    private const string Resave = "load it in PyTorch and save it again with torch.save(state_dict, path)";

    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    private readonly RandomReader _reader;
    private readonly Dictionary<string, StoredZipMember> _members = new(StringComparer.Ordinal);

    private StoredZip(RandomReader reader) => _reader = reader;

    /// <summary>The members by name.</summary>
    public IReadOnlyDictionary<string, StoredZipMember> Members => _members;

    /// <summary>Reads and checks the directory and every member's own header.</summary>
    /// <exception cref="TorchArchiveException">The file is not such a zip file.</exception>
    public static StoredZip Read(RandomReader reader)
    {
        var zip = new StoredZip(reader);
        (long start, long size, long count) = zip.FindDirectory();
        var placed = new List<(long Begin, long End, string Name)>();
        zip.ReadDirectory(start, size, count, placed);
        placed.Sort();
        for (int i = 1; i < placed.Count; i++)
        {
            if (placed[i].Begin < placed[i - 1].End)
            {
                throw zip.Refuse($"member {Quote(placed[i].Name)}", "bytes of its own", $"an overlap with {Quote(placed[i - 1].Name)}");
            }
        }

        return zip;
    }

    private (long Start, long Size, long Count) FindDirectory()
    {
        if (_reader.Length < EndBytes)
        {
            throw Refuse("file", $"at least {EndBytes} bytes", $"{_reader.Length} bytes");
        }

        long end = _reader.Length - EndBytes;
        byte[] record = _reader.Bytes(end, EndBytes, "end of the zip directory");
        if (Word(record, 0) != 0x06054b50 || Half(record, 20) != 0)
        {
            throw Refuse("end of the file", "the end record of a zip directory without comment", "other bytes");
        }

        bool wide = end >= LocatorBytes && Word(_reader.Bytes(end - LocatorBytes, 4, "zip64 locator"), 0) == 0x07064b50;
        (long Start, long Size, long Count) found = (Word(record, 16), Word(record, 12), Half(record, 10));
        bool oneDisk = Half(record, 4) == 0 && Half(record, 6) == 0 && Half(record, 8) == Half(record, 10);
        if (wide)
        {
            byte[] locator = _reader.Bytes(end - LocatorBytes, LocatorBytes, "zip64 locator");
            long at = end - LocatorBytes - End64Bytes;
            if (at < 0 || Long(locator, 8) != at || Word(locator, 4) != 0 || Word(locator, 16) != 1)
            {
                throw Refuse("zip64 locator", $"a record right in front of it, at byte {at}, on one disk", $"byte {Long(locator, 8)}");
            }

            byte[] record64 = _reader.Bytes(at, End64Bytes, "zip64 end record");
            if (Word(record64, 0) != 0x06064b50 || Long(record64, 4) != End64Bytes - 12)
            {
                throw Refuse("zip64 end record", $"a record of {End64Bytes} bytes", "other bytes");
            }

            oneDisk &= Word(record64, 16) == 0 && Word(record64, 20) == 0 && Long(record64, 24) == Long(record64, 32);
            (long Start, long Size, long Count) full = (Long(record64, 48), Long(record64, 40), Long(record64, 32));
            if (!Agrees(found.Start, full.Start, uint.MaxValue) || !Agrees(found.Size, full.Size, uint.MaxValue)
                || !Agrees(found.Count, full.Count, ushort.MaxValue))
            {
                throw Refuse("end of the zip directory", "the same place, size and count in both end records", $"{found} and {full}");
            }

            (found, end) = (full, at);
        }

        if (!oneDisk)
        {
            throw Refuse("end of the zip directory", "an archive on one disk", "parts on several");
        }

        if (found.Count is < 1 or > MostMembers || found.Size is < 0 or > MostDirectoryBytes || found.Size / EntryBytes < found.Count)
        {
            throw Refuse("zip directory", $"1 to {MostMembers} members of {EntryBytes} bytes or more, {MostDirectoryBytes} bytes at most in all",
                $"{found.Count} members in {found.Size} bytes");
        }

        return found.Start == end - found.Size ? found
            : throw Refuse("zip directory", $"a start at byte {end - found.Size}, so that it ends at its end record", $"byte {found.Start}");
    }

    private static bool Agrees(long narrow, long wide, long saturated) => narrow == wide || (narrow == saturated && (ulong)wide > (ulong)saturated);

    private void ReadDirectory(long start, long size, long count, List<(long Begin, long End, string Name)> placed)
    {
        ReadOnlySpan<byte> directory = _reader.Bytes(start, (int)size, "zip directory");
        for (long i = 0; i < count; i++)
        {
            string where = $"zip directory, entry {i + 1}";
            int nameBytes = directory.Length < EntryBytes ? 0 : Half(directory, 28);
            int extraBytes = directory.Length < EntryBytes ? 0 : Half(directory, 30);
            if (directory.Length < EntryBytes + nameBytes + extraBytes || Word(directory, 0) != 0x02014b50)
            {
                throw Refuse(where, "an entry within the directory", "other bytes");
            }

            if (Half(directory, 32) != 0 || Half(directory, 34) != 0)
            {
                throw Refuse(where, "no comment and one disk", $"{Half(directory, 32)} bytes of comment, disk {Half(directory, 34)}");
            }

            string name = Name(directory.Slice(EntryBytes, nameBytes), where);
            ReadEntry(directory[..(EntryBytes + nameBytes + extraBytes)], name, start, placed);
            directory = directory[(EntryBytes + nameBytes + extraBytes)..];
        }

        if (!directory.IsEmpty)
        {
            throw Refuse("zip directory", $"{count} entries and nothing else", $"{directory.Length} more bytes");
        }
    }

    private void ReadEntry(ReadOnlySpan<byte> entry, string name, long directoryStart, List<(long Begin, long End, string Name)> placed)
    {
        string where = $"member {Quote(name)}";
        int flags = Half(entry, 8);
        if ((flags & ~(DescriptorFlag | Utf8Flag)) != 0)
        {
            throw new TorchArchiveException(_reader.Name, where, "no encryption and no patch", $"flags 0x{flags:x4}", Resave);
        }

        long packed = Word(entry, 20);
        long size = Word(entry, 24);
        long header = Word(entry, 42);
        ReadOnlySpan<byte> wide = Zip64Extra(entry[(EntryBytes + Half(entry, 28))..], where);
        size = Widen(size, ref wide, where);
        packed = Widen(packed, ref wide, where);
        header = Widen(header, ref wide, where);
        if (Half(entry, 10) != 0 || packed != size)
        {
            throw new TorchArchiveException(_reader.Name, where, "stored bytes (method 0)", $"method {Half(entry, 10)}, {packed} bytes for {size}",
                $"torch.save does not compress; unpack the archive and {Resave}");
        }

        if (header < 0 || size < 0 || header > directoryStart - LocalBytes || size > directoryStart - LocalBytes - header)
        {
            throw Refuse(where, $"bytes in front of the directory at {directoryStart}", $"{size} bytes, header at {header}");
        }

        uint checksum = Word(entry, 16);
        long data = DataOffset(entry, header, size, checksum, where);
        if (size > directoryStart - data)
        {
            throw Refuse(where, $"bytes in front of the directory at {directoryStart}", $"{size} bytes from {data}");
        }

        if (!_members.TryAdd(name, new StoredZipMember(name, data, size, checksum)))
        {
            throw Refuse("zip directory", "unique names", $"{Quote(name)} twice");
        }

        placed.Add((header, data + size, name));
    }

    /// <summary>
    /// Checks a member's own header against its entry. torch.save leaves sizes and checksum zero there and writes them behind the data.
    /// </summary>
    private long DataOffset(ReadOnlySpan<byte> entry, long header, long size, uint checksum, string where)
    {
        int nameBytes = Half(entry, 28);
        ReadOnlySpan<byte> local = _reader.Bytes(header, LocalBytes, where);
        if (Word(local, 0) != 0x04034b50 || Half(local, 6) != Half(entry, 8) || Half(local, 8) != Half(entry, 10) || Half(local, 26) != nameBytes)
        {
            throw Refuse(where, "a header with the flags, method and name of the directory", "another or none");
        }

        long after = header + LocalBytes + nameBytes + Half(local, 28);
        if (
            after > _reader.Length
            || !_reader.Bytes(header + LocalBytes, nameBytes, where).AsSpan().SequenceEqual(entry.Slice(EntryBytes, nameBytes))
        )
        {
            throw Refuse(where, "a header with the name of the directory", "another");
        }

        bool deferred = (Half(entry, 8) & DescriptorFlag) != 0 && Word(local, 14) == 0 && Word(local, 18) == 0 && Word(local, 22) == 0;
        bool same = Word(local, 14) == checksum && SameSize(Word(local, 18), size) && SameSize(Word(local, 22), size);
        return deferred || same
            ? after
            : throw Refuse(
                where,
                $"{size} bytes in its header, as in the directory",
                $"{Word(local, 18)} and {Word(local, 22)}, or another checksum"
            );
    }

    private static bool SameSize(uint local, long size) => local == size || local == uint.MaxValue;

    private ReadOnlySpan<byte> Zip64Extra(ReadOnlySpan<byte> extra, string where)
    {
        ReadOnlySpan<byte> found = default;
        while (!extra.IsEmpty)
        {
            int length = extra.Length < 4 ? extra.Length : Half(extra, 2);
            if (extra.Length < 4 + length)
            {
                throw Refuse(where, "extra fields within the entry", "a longer one");
            }

            if (Half(extra, 0) == Zip64Field)
            {
                found = extra.Slice(4, length);
            }

            extra = extra[(4 + length)..];
        }

        return found;
    }

    private long Widen(long value, ref ReadOnlySpan<byte> wide, string where)
    {
        if (value != uint.MaxValue)
        {
            return value;
        }

        if (wide.Length < 8)
        {
            throw Refuse(where, "a zip64 field with sizes and place", "none");
        }

        long full = Long(wide, 0);
        wide = wide[8..];
        return full;
    }

    private string Name(ReadOnlySpan<byte> bytes, string where)
    {
        string name;
        try
        {
            name = bytes.Length <= LongestName ? StrictUtf8.GetString(bytes) : "";
        }
        catch (DecoderFallbackException)
        {
            name = "";
        }

        bool plain = name.Length > 0 && !name.Any(char.IsControl) && !name.Contains('\\') && !name.Contains(':')
            && name.Split('/').All(part => part is not ("" or "." or ".."));
        return plain ? name
            : throw Refuse(where, $"a relative name of at most {LongestName} bytes of UTF-8 without '..' and without empty parts",
                name.Length == 0 ? $"{bytes.Length} bytes" : Quote(name));
    }

    private TorchArchiveException Refuse(string what, string expected, string found) => new(_reader.Name, what, expected, found, Damaged);

    private static ushort Half(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);

    private static uint Word(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    private static long Long(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadInt64LittleEndian(bytes[at..]);
}
