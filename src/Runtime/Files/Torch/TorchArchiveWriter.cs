using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace CoGrpo.Runtime.Files.Torch;

/// <summary>
/// Writes a state dictionary as <c>torch.save</c> does, one tensor after another, so that only one need be in memory: a stored zip archive with a
/// pickle of protocol 2 and one storage for each tensor. The same content always gives the same bytes. Does not own the stream, which must be
/// seekable.
/// </summary>
public sealed class TorchArchiveWriter : IDisposable
{
    private const string Root = "archive";
    private static readonly DateTimeOffset Time = new(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly ZipArchive _zip;
    private readonly SafetensorsTensor[] _tensors;
    private int _next;
    private long _written;
    private Stream? _storage;

    /// <summary>Writes everything but the data, which must follow in the order of <paramref name="tensors"/>.</summary>
    /// <param name="stream">Empty.</param>
    /// <param name="tensors">What the dictionary holds.</param>
    /// <param name="key">The key of an outer dictionary that leads to the tensors, as <c>state_dict</c>; null for none.</param>
    public TorchArchiveWriter(Stream stream, IEnumerable<SafetensorsTensor> tensors, string? key)
    {
        _tensors = [.. tensors];
        _zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true);
        Add("data.pkl", Pickle(key));
        Add("byteorder", "little"u8);
        Add("version", "3\n"u8);
    }

    /// <summary>Appends little-endian bytes to the tensor whose turn it is, in as many pieces as the caller likes.</summary>
    /// <exception cref="InvalidOperationException">All tensors are written, or the bytes exceed the tensor.</exception>
    public void WriteBytes(ReadOnlySpan<byte> bytes)
    {
        if (_next == _tensors.Length || _written + bytes.Length > _tensors[_next].ByteCount)
        {
            throw new InvalidOperationException(
                $"{(_next == _tensors.Length ? "nothing" : _tensors[_next])} takes {bytes.Length} bytes more; write the tensors in order, each whole"
            );
        }

        _storage ??= Entry($"data/{_next}").Open();
        _storage.Write(bytes);
        _written += bytes.Length;
        if (_written == _tensors[_next].ByteCount)
        {
            _storage.Dispose();
            (_storage, _written) = (null, 0);
            _next++;
        }
    }

    /// <summary>Completes the archive.</summary>
    public void Dispose()
    {
        _storage?.Dispose();
        _zip.Dispose();
    }

    private ZipArchiveEntry Entry(string name)
    {
        ZipArchiveEntry entry = _zip.CreateEntry($"{Root}/{name}", CompressionLevel.NoCompression);
        entry.LastWriteTime = Time;
        return entry;
    }

    private void Add(string name, ReadOnlySpan<byte> bytes)
    {
        using Stream stream = Entry(name).Open();
        stream.Write(bytes);
    }

    private byte[] Pickle(string? key)
    {
        using var pickle = new MemoryStream();
        pickle.Write([0x80, 2]);
        if (key is not null)
        {
            pickle.Write("}("u8);
            Text(pickle, key);
        }

        pickle.Write("}("u8);
        for (int i = 0; i < _tensors.Length; i++)
        {
            Text(pickle, _tensors[i].Name);
            Tensor(pickle, _tensors[i], i);
        }

        pickle.Write("u"u8);
        pickle.Write(key is null ? "."u8 : "u."u8);
        return pickle.ToArray();
    }

    private static void Tensor(Stream pickle, SafetensorsTensor tensor, int storage)
    {
        pickle.Write("ctorch._utils\n_rebuild_tensor_v2\n(("u8);
        Text(pickle, "storage");
        pickle.Write(Encoding.ASCII.GetBytes($"ctorch\n{StorageClass(tensor.Type)}\n"));
        Text(pickle, FormattableString.Invariant($"{storage}"));
        Text(pickle, "cpu");
        Number(pickle, tensor.Count);
        pickle.Write("tQ"u8);
        Number(pickle, 0);
        pickle.WriteByte((byte)'(');
        foreach (long size in tensor.Shape)
        {
            Number(pickle, size);
        }

        pickle.Write("t("u8);
        long stride = tensor.Count;
        foreach (long size in tensor.Shape)
        {
            stride /= Math.Max(1, size);
            Number(pickle, stride);
        }

        pickle.WriteByte((byte)'t');
        pickle.WriteByte(0x89);
        pickle.Write("ccollections\nOrderedDict\n)RtR"u8);
    }

    private static string StorageClass(SafetensorsType type) => type switch
    {
        SafetensorsType.F32 => "FloatStorage",
        SafetensorsType.F16 => "HalfStorage",
        SafetensorsType.BF16 => "BFloat16Storage",
        SafetensorsType.I64 => "LongStorage",
        _ => throw new NotSupportedException($"a storage of {type}; give F32, F16, BF16 or I64"),
    };

    private static void Text(Stream pickle, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
        pickle.WriteByte((byte)'X');
        pickle.Write(length);
        pickle.Write(bytes);
    }

    private static void Number(Stream pickle, long value)
    {
        Span<byte> bytes = stackalloc byte[10];
        (bytes[0], bytes[1]) = (0x8A, 8);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[2..], value);
        pickle.Write(bytes);
    }
}
