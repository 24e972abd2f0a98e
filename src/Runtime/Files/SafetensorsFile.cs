using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace CoGrpo.Runtime.Files;

/// <summary>
/// A safetensors file open for reading. The whole header is validated before the constructor returns; data are read on demand, so a
/// file larger than memory is fine. Safe to use from several threads. Malformed or unreadable files give
/// <see cref="SafetensorsException"/> and nothing else.
/// </summary>
public sealed class SafetensorsFile : ITensorSource
{
    private const int BufferBytes = 1 << 16;
    private readonly Stream _stream;
    private readonly Lock _lock = new();
    private readonly string _name;
    private readonly long _dataStart;
    private readonly SafetensorsHeader _header;

    private SafetensorsFile(Stream stream, string name)
    {
        _stream = stream;
        _name = name;
        byte[] header = ReadHeader(out long dataBytes);
        _dataStart = 8 + header.Length;
        _header = SafetensorsHeader.Parse(name, header, dataBytes);
    }

    /// <summary>The tensors by name.</summary>
    public IReadOnlyDictionary<string, SafetensorsTensor> Tensors => _header.Tensors;

    /// <summary>The header's <c>__metadata__</c>; empty when it has none.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _header.Metadata;

    /// <summary>Opens and validates the file at <paramref name="path"/>.</summary>
    /// <exception cref="SafetensorsException">The file cannot be opened or is malformed.</exception>
    public static SafetensorsFile Open(string path)
    {
        FileStream stream;
        try
        {
            stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new SafetensorsException(path, "open", "a readable file", e.Message, "check the path and its permissions", e);
        }

        return Open(stream, path);
    }

    /// <summary>
    /// Validates a seekable stream, which the result owns from here on (also when this throws); <paramref name="name"/> is for messages.
    /// </summary>
    /// <exception cref="SafetensorsException">The content is malformed.</exception>
    public static SafetensorsFile Open(Stream stream, string name)
    {
        try
        {
            return new SafetensorsFile(stream, name);
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>The tensor called <paramref name="name"/>.</summary>
    /// <exception cref="SafetensorsException">The file has no such tensor.</exception>
    public SafetensorsTensor this[string name] => _header.Tensors.TryGetValue(name, out SafetensorsTensor? tensor)
        ? tensor
        : throw new SafetensorsException(_name, $"tensor '{name}'", "it to be in the file", $"{_header.Tensors.Count} other tensors",
            "check that the file belongs to this model");

    /// <summary>Reads a floating-point tensor as fp32, F64 rounded to nearest even, F16 and BF16 exactly.</summary>
    /// <exception cref="SafetensorsException">No such tensor, not a floating-point one, another element count than the destination, or a read
    /// error.</exception>
    public void ReadFloat32(string name, Span<float> destination)
    {
        SafetensorsTensor tensor = Check(name, destination.Length, "F64, F32, F16 or BF16", this[name].Type.IsFloatingPoint());
        if (tensor.Type == SafetensorsType.F32 && BitConverter.IsLittleEndian)
        {
            ReadAt(tensor, 0, MemoryMarshal.AsBytes(destination));
            return;
        }

        TensorSourceReading.ReadFloat32(this, name, destination);
    }

    /// <summary>As <see cref="ReadFloat32(string, Span{float})"/>, into a new array.</summary>
    /// <exception cref="SafetensorsException">No such tensor, not a floating-point one, larger than an array, or a read error.</exception>
    public float[] ReadFloat32(string name)
    {
        var values = new float[ArrayLength(name)];
        ReadFloat32(name, values);
        return values;
    }

    /// <summary>Reads an integer or BOOL tensor as 64-bit integers.</summary>
    /// <exception cref="SafetensorsException">No such tensor, not an integer one, another element count than the destination, or a read
    /// error.</exception>
    public void ReadInt64(string name, Span<long> destination)
    {
        SafetensorsTensor tensor = Check(name, destination.Length, "I64, I32, I16, I8, U8 or BOOL", !this[name].Type.IsFloatingPoint());
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            int size = tensor.Type.Size();
            for (int done = 0; done < destination.Length;)
            {
                int count = Math.Min(destination.Length - done, BufferBytes / size);
                Span<byte> bytes = buffer.AsSpan(0, count * size);
                ReadAt(tensor, (long)done * size, bytes);
                ToInt64(tensor.Type, bytes, destination.Slice(done, count));
                done += count;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>As <see cref="ReadInt64(string, Span{long})"/>, into a new array.</summary>
    /// <exception cref="SafetensorsException">No such tensor, not an integer one, larger than an array, or a read error.</exception>
    public long[] ReadInt64(string name)
    {
        var values = new long[ArrayLength(name)];
        ReadInt64(name, values);
        return values;
    }

    /// <summary>Reads the tensor's little-endian bytes from <paramref name="offset"/> on, as many as the destination holds.</summary>
    /// <exception cref="SafetensorsException">No such tensor, the range leaves it, or a read error.</exception>
    public void ReadBytes(string name, long offset, Span<byte> destination)
    {
        SafetensorsTensor tensor = this[name];
        if (offset < 0 || offset > tensor.ByteCount - destination.Length)
        {
            throw new SafetensorsException(_name, $"tensor '{name}'", $"a byte range within [0,{tensor.ByteCount})",
                $"{destination.Length} bytes from {offset}", "ask for bytes of the tensor only");
        }

        ReadAt(tensor, offset, destination);
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => _stream.Dispose();

    private static void ToInt64(SafetensorsType type, ReadOnlySpan<byte> bytes, Span<long> values)
    {
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = type switch
            {
                SafetensorsType.I64 => BinaryPrimitives.ReadInt64LittleEndian(bytes[(8 * i)..]),
                SafetensorsType.I32 => BinaryPrimitives.ReadInt32LittleEndian(bytes[(4 * i)..]),
                SafetensorsType.I16 => BinaryPrimitives.ReadInt16LittleEndian(bytes[(2 * i)..]),
                SafetensorsType.I8 => (sbyte)bytes[i],
                _ => bytes[i],
            };
        }
    }

    private SafetensorsTensor Check(string name, int count, string types, bool typeFits)
    {
        SafetensorsTensor tensor = this[name];
        if (!typeFits)
        {
            throw new SafetensorsException(_name, $"tensor '{name}'", types, $"{tensor.Type}", "check that the file belongs to this model");
        }

        if (tensor.Count != count)
        {
            throw new SafetensorsException(_name, $"tensor '{name}'", $"{count} elements", $"{tensor.Count} elements in {tensor}",
                "check that the file belongs to this model");
        }

        return tensor;
    }

    private long ArrayLength(string name)
    {
        SafetensorsTensor tensor = this[name];
        return tensor.Count <= Array.MaxLength
            ? tensor.Count
            : throw new SafetensorsException(_name, $"tensor '{name}'", $"at most {Array.MaxLength} elements", $"{tensor.Count}",
                "read it in pieces with ReadBytes");
    }

    private byte[] ReadHeader(out long dataBytes)
    {
        const string Remedy = "the file is damaged or not safetensors; fetch or write it again";
        try
        {
            long length = _stream.Length;
            if (length < 8)
            {
                throw new SafetensorsException(_name, "file", "at least 8 bytes", $"{length} bytes", Remedy);
            }

            Span<byte> prefix = stackalloc byte[8];
            _stream.Position = 0;
            _stream.ReadExactly(prefix);
            ulong headerBytes = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
            ulong limit = (ulong)Math.Min(SafetensorsHeader.MaxBytes, length - 8);
            if (headerBytes > limit)
            {
                throw new SafetensorsException(_name, "header length", $"at most {limit}", $"{headerBytes}", Remedy);
            }

            var header = new byte[headerBytes];
            _stream.ReadExactly(header);
            dataBytes = length - 8 - header.Length;
            return header;
        }
        catch (Exception e) when (e is IOException or NotSupportedException or UnauthorizedAccessException)
        {
            throw ReadError("header", e);
        }
    }

    private void ReadAt(SafetensorsTensor tensor, long offset, Span<byte> destination)
    {
        try
        {
            lock (_lock)
            {
                _stream.Position = _dataStart + tensor.Begin + offset;
                _stream.ReadExactly(destination);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw ReadError($"tensor '{tensor.Name}'", e);
        }
    }

    private SafetensorsException ReadError(string what, Exception e) =>
        new(_name, what, "readable bytes", e.Message, "check the disk and that nothing rewrites the file meanwhile", e);
}
