using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace CoGrpo.Runtime.Files;

/// <summary>
/// Writes a safetensors file to a stream, one tensor after another, so that only one need be in memory. Tensors go in ordinal order of
/// name and the header is padded with spaces to 8 bytes: the same content always gives the same bytes. Does not own the stream; put it
/// behind <see cref="AtomicFile"/>. Errors of the stream (<see cref="IOException"/>) pass through.
/// </summary>
public sealed class SafetensorsWriter
{
    private const int BufferBytes = 1 << 16;
    private readonly Stream _stream;
    private readonly SafetensorsTensor[] _tensors;
    private int _current;
    private long _written;

    /// <summary>Writes the header at once. The data must follow in the order of <see cref="Tensors"/>.</summary>
    /// <exception cref="ArgumentException">Two tensors share a name or one is called <c>__metadata__</c>.</exception>
    public SafetensorsWriter(Stream stream, IEnumerable<SafetensorsTensor> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        _stream = stream;
        _tensors = tensors.OrderBy(t => t.Name, StringComparer.Ordinal).ToArray();
        for (int i = 0; i < _tensors.Length; i++)
        {
            if (_tensors[i].Name == "__metadata__" || (i > 0 && _tensors[i].Name == _tensors[i - 1].Name))
            {
                throw new ArgumentException($"tensor name '{_tensors[i].Name}' is reserved or used twice; names must be unique", nameof(tensors));
            }
        }

        WriteHeader(metadata);
    }

    /// <summary>The tensors in the order in which their data must be written.</summary>
    public IReadOnlyList<SafetensorsTensor> Tensors => _tensors;

    /// <summary>
    /// Appends little-endian bytes to the tensor, in as many pieces as the caller likes; the next tensor may follow when it is full.
    /// </summary>
    /// <exception cref="InvalidOperationException">It is another tensor's turn, or the bytes exceed the tensor.</exception>
    public void WriteBytes(string name, ReadOnlySpan<byte> bytes)
    {
        Take(name, bytes.Length);
        _stream.Write(bytes);
    }

    /// <summary>Appends values to a floating-point tensor, rounded to nearest even into its type.</summary>
    /// <exception cref="InvalidOperationException">It is another tensor's turn, it is not a floating-point one, or the values exceed it.</exception>
    public void WriteFloat32(string name, ReadOnlySpan<float> values)
    {
        SafetensorsType type = Take(name, 0).Type;
        if (!type.IsFloatingPoint())
        {
            throw new InvalidOperationException($"tensor '{name}' is {type}, not floating point; use WriteBytes");
        }

        if (type == SafetensorsType.F32 && BitConverter.IsLittleEndian)
        {
            WriteBytes(name, MemoryMarshal.AsBytes(values));
            return;
        }

        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            int size = type.Size();
            while (!values.IsEmpty)
            {
                int count = Math.Min(values.Length, BufferBytes / size);
                ElementConversion.FromFloat32(type, values[..count], buffer.AsSpan(0, count * size));
                WriteBytes(name, buffer.AsSpan(0, count * size));
                values = values[count..];
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Checks that every tensor has all its bytes and flushes the stream.</summary>
    /// <exception cref="InvalidOperationException">Data are missing.</exception>
    public void Complete()
    {
        SkipFull(null);
        if (_current < _tensors.Length)
        {
            throw new InvalidOperationException(
                $"tensor '{_tensors[_current].Name}' has {_written} of {_tensors[_current].ByteCount} bytes; write all tensors before Complete");
        }

        _stream.Flush();
    }

    private SafetensorsTensor Take(string name, long bytes)
    {
        SkipFull(name);
        if (_current >= _tensors.Length || _tensors[_current].Name != name)
        {
            string turn = _current < _tensors.Length ? $"'{_tensors[_current].Name}'" : "nothing";
            throw new InvalidOperationException($"tensor '{name}' written out of turn, next is {turn}; write in the order of Tensors");
        }

        SafetensorsTensor tensor = _tensors[_current];
        if (_written + bytes > tensor.ByteCount)
        {
            throw new InvalidOperationException($"tensor {tensor} takes {tensor.ByteCount} bytes, got {_written + bytes}; check the shape");
        }

        _written += bytes;
        return tensor;
    }

    /// <summary>
    /// Leaves full tensors behind but stops at <paramref name="name"/>: an empty tensor is full from the start and may still be written.
    /// </summary>
    private void SkipFull(string? name)
    {
        while (_current < _tensors.Length && _tensors[_current].Name != name && _written == _tensors[_current].ByteCount)
        {
            _current++;
            _written = 0;
        }
    }

    private void WriteHeader(IReadOnlyDictionary<string, string>? metadata)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            if (metadata is { Count: > 0 })
            {
                json.WriteStartObject("__metadata__");
                foreach ((string key, string value) in metadata.OrderBy(p => p.Key, StringComparer.Ordinal))
                {
                    json.WriteString(key, value);
                }

                json.WriteEndObject();
            }

            long begin = 0;
            foreach (SafetensorsTensor tensor in _tensors)
            {
                json.WriteStartObject(tensor.Name);
                json.WriteString("dtype", tensor.Type.ToString());
                json.WriteStartArray("shape");
                foreach (long size in tensor.Shape)
                {
                    json.WriteNumberValue(size);
                }

                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(begin);
                json.WriteNumberValue(begin = checked(begin + tensor.ByteCount));
                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        int padded = (buffer.WrittenCount + 7) / 8 * 8;
        Span<byte> prefix = stackalloc byte[16];
        BinaryPrimitives.WriteInt64LittleEndian(prefix, padded);
        _stream.Write(prefix[..8]);
        _stream.Write(buffer.WrittenSpan);
        prefix[8..].Fill((byte)' ');
        _stream.Write(prefix.Slice(8, padded - buffer.WrittenCount));
    }
}
