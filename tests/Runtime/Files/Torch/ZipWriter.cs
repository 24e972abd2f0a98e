using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;

namespace CoGrpo.Tests.Runtime.Files.Torch;

/// <summary>Writes zip files as torch.save does, and remembers where their records are so that a test can spoil them.</summary>
internal sealed class ZipWriter
{
    private readonly List<(string Name, byte[] Data, int Local)> _members = [];
    private readonly MemoryStream _file = new();
    private readonly bool _deferred;
    private readonly bool _zip64;

    /// <param name="deferred">Sizes stand behind the data and not in front, as torch.save leaves them.</param>
    /// <param name="zip64">With zip64 end records, as torch.save writes them.</param>
    public ZipWriter(bool deferred = true, bool zip64 = true) => (_deferred, _zip64) = (deferred, zip64);

    /// <summary>Where the directory's entry of each member begins.</summary>
    public Dictionary<string, int> Entries { get; } = [];

    /// <summary>Where each member's own header begins.</summary>
    public Dictionary<string, int> Headers { get; } = [];

    /// <summary>Where the directory begins.</summary>
    public int Directory { get; private set; }

    /// <summary>Where the end record begins.</summary>
    public int End { get; private set; }

    public ZipWriter Add(string name, byte[] data)
    {
        int local = (int)_file.Position;
        Headers[name] = local;
        byte[] path = Encoding.UTF8.GetBytes(name);

        // The padding that puts the data on a multiple of 64 bytes.
        int padding = (64 - ((local + 30 + path.Length + 4) % 64)) % 64;
        Write(0x04034b50, 4);
        Write(20, 2);
        Write(Flags, 2);
        Write(0, 6);
        Write(_deferred ? 0 : Crc32.HashToUInt32(data), 4);
        Write(_deferred ? 0 : data.Length, 4);
        Write(_deferred ? 0 : data.Length, 4);
        Write(path.Length, 2);
        Write(4 + padding, 2);
        _file.Write(path);
        Write(0x4246, 2);
        Write(padding, 2);
        _file.Write(Enumerable.Repeat((byte)'Z', padding).ToArray());
        _file.Write(data);
        if (_deferred)
        {
            Write(0x08074b50, 4);
            Write(Crc32.HashToUInt32(data), 4);
            Write(data.Length, 4);
            Write(data.Length, 4);
        }

        _members.Add((name, data, local));
        return this;
    }

    public ZipWriter Add(string name, string text) => Add(name, Encoding.ASCII.GetBytes(text));

    public byte[] Finish()
    {
        Directory = (int)_file.Position;
        foreach ((string name, byte[] data, int local) in _members)
        {
            Entries[name] = (int)_file.Position;
            byte[] path = Encoding.UTF8.GetBytes(name);
            Write(0x02014b50, 4);
            Write(0, 2);
            Write(20, 2);
            Write(Flags, 2);
            Write(0, 6);
            Write(Crc32.HashToUInt32(data), 4);
            Write(data.Length, 4);
            Write(data.Length, 4);
            Write(path.Length, 2);
            Write(0, 2);
            Write(0, 2);
            Write(0, 8);
            Write(local, 4);
            _file.Write(path);
        }

        int size = (int)_file.Position - Directory;
        if (_zip64)
        {
            int record = (int)_file.Position;
            Write(0x06064b50, 4);
            Write(44, 8);
            Write(45, 4);
            Write(0, 8);
            Write(_members.Count, 8);
            Write(_members.Count, 8);
            Write(size, 8);
            Write(Directory, 8);
            Write(0x07064b50, 4);
            Write(0, 4);
            Write(record, 8);
            Write(1, 4);
        }

        End = (int)_file.Position;
        Write(0x06054b50, 4);
        Write(0, 4);
        Write(_members.Count, 2);
        Write(_members.Count, 2);
        Write(size, 4);
        Write(Directory, 4);
        Write(0, 2);
        return _file.ToArray();
    }

    private int Flags => _deferred ? 0x0808 : 0x0800;

    private void Write(long value, int bytes)
    {
        Span<byte> buffer = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(buffer, value);
        _file.Write(buffer[..bytes]);
    }
}
