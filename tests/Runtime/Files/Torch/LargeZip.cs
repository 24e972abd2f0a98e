using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;

namespace CoGrpo.Tests.Runtime.Files.Torch;

/// <summary>
/// An archive with a storage of more than 4 GiB and the zip64 fields that it needs. The storage is zero but for its last byte and takes no memory.
/// </summary>
internal sealed class LargeZip : Stream
{
    /// <summary>The last byte of the storage.</summary>
    public const byte Last = 42;

    private const string Pickle = "m/data.pkl";
    private const string Version = "m/version";
    private const string Storage = "m/data/0";

    private readonly byte[] _head;
    private readonly byte[] _tail;
    private readonly long _tailAt;

    /// <summary>With <paramref name="count"/> bytes of storage.</summary>
    public LargeZip(byte[] pickle, long count)
    {
        _head = Head(pickle, count);
        _tailAt = _head.Length + count;
        _tail = Tail(pickle, count, _tailAt);
    }

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => _tailAt + _tail.Length;

    public override long Position { get; set; }

    public override int Read(byte[] buffer, int offset, int count)
    {
        int read = (int)Math.Min(count, Length - Position);
        for (int i = 0; i < read; i++, Position++)
        {
            buffer[offset + i] = Position < _head.Length ? _head[Position]
                : Position >= _tailAt ? _tail[Position - _tailAt]
                : Position == _tailAt - 1 ? Last : (byte)0;
        }

        return read;
    }

    public override void Flush() => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private static byte[] Head(byte[] pickle, long count)
    {
        var file = new MemoryStream();
        Local(file, Pickle, pickle, pickle.Length);
        Local(file, Version, "3\n"u8, 2);
        Local(file, Storage, default, count);
        return file.ToArray();
    }

    private static byte[] Tail(byte[] pickle, long count, long at)
    {
        var file = new MemoryStream();

        // A member behind the storage, so that a header's place needs 64 bits as well.
        Local(file, "m/byteorder", "little"u8, 6);
        long directory = file.Length;
        long second = 30 + Pickle.Length + pickle.Length;
        Entry(file, Pickle, pickle, pickle.Length, 0);
        Entry(file, Version, "3\n"u8, 2, second);
        Entry(file, Storage, default, count, second + 30 + Version.Length + 2);
        Entry(file, "m/byteorder", "little"u8, 6, at);
        long record = file.Length;
        Write(file, 0x06064b50, 4);
        Write(file, 44, 8);
        Write(file, 45, 4);
        Write(file, 0, 8);
        Write(file, 4, 8);
        Write(file, 4, 8);
        Write(file, record - directory, 8);
        Write(file, at + directory, 8);
        Write(file, 0x07064b50, 4);
        Write(file, 0, 4);
        Write(file, at + record, 8);
        Write(file, 1, 4);
        Write(file, 0x06054b50, 4);
        Write(file, 0, 4);
        Write(file, 4, 2);
        Write(file, 4, 2);
        Write(file, record - directory, 4);
        Write(file, uint.MaxValue, 4);
        Write(file, 0, 2);
        return file.ToArray();
    }

    private static void Local(MemoryStream file, string name, ReadOnlySpan<byte> data, long size)
    {
        Write(file, 0x04034b50, 4);
        Write(file, 45, 2);
        Write(file, 0, 8);
        Write(file, Crc32.HashToUInt32(data), 4);
        Write(file, Math.Min(size, uint.MaxValue), 4);
        Write(file, Math.Min(size, uint.MaxValue), 4);
        Write(file, name.Length, 2);
        Write(file, 0, 2);
        file.Write(Encoding.ASCII.GetBytes(name));
        file.Write(data);
    }

    private static void Entry(MemoryStream file, string name, ReadOnlySpan<byte> data, long size, long header)
    {
        var extra = new MemoryStream();
        if (size >= uint.MaxValue)
        {
            Write(extra, size, 8);
            Write(extra, size, 8);
        }

        if (header >= uint.MaxValue)
        {
            Write(extra, header, 8);
        }

        Write(file, 0x02014b50, 4);
        Write(file, 45, 2);
        Write(file, 45, 2);
        Write(file, 0, 8);
        Write(file, Crc32.HashToUInt32(data), 4);
        Write(file, Math.Min(size, uint.MaxValue), 4);
        Write(file, Math.Min(size, uint.MaxValue), 4);
        Write(file, name.Length, 2);
        Write(file, extra.Length == 0 ? 0 : 4 + extra.Length, 2);
        Write(file, 0, 8);
        Write(file, 0, 2);
        Write(file, Math.Min(header, uint.MaxValue), 4);
        file.Write(Encoding.ASCII.GetBytes(name));
        if (extra.Length > 0)
        {
            Write(file, 1, 2);
            Write(file, extra.Length, 2);
            file.Write(extra.ToArray());
        }
    }

    private static void Write(MemoryStream file, long value, int bytes)
    {
        Span<byte> buffer = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(buffer, value);
        file.Write(buffer[..bytes]);
    }
}
