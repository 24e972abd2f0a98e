using System.IO.Hashing;
using System.Runtime.InteropServices;
using static CoGrpo.Runtime.Files.UntrustedText;

namespace CoGrpo.Runtime.Files.Torch;

/// <summary>
/// A file of <c>torch.save</c> (.pt, .pth, .bin) open for reading: the tensors of its nested dictionaries, lists and tuples; other values are passed
/// over. Everything but the data is validated before <see cref="Open(string)"/> returns; the data are read on demand, so a file larger than memory is
/// fine. The pickle in it is read as data and cannot run anything. Safe to use from several threads. Malformed, unreadable or hostile files give
/// <see cref="TorchArchiveException"/> and nothing else.
/// </summary>
public sealed class TorchArchive : IDisposable
{
    private const int LongestName = 1024;
    private const int MostDepth = 32;
    private const int MostVisits = 1 << 20;
    private const long MostNameCharacters = 1 << 24;
    private const long MostStridedBytes = 1 << 30;
    private const int CheckBytes = 1 << 20;
    private const string Damaged = "the file is damaged or was not written by torch.save; fetch or save it again";

    private readonly RandomReader _reader;
    private readonly PickleDictionary _root;
    private readonly Dictionary<string, TorchTensor> _byName = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();
    private (TorchView? View, byte[] Bytes) _inOrder = (null, []);

    private TorchArchive(RandomReader reader)
    {
        _reader = reader;
        TorchFileKind.RequireZip(reader);
        StoredZip zip = StoredZip.Read(reader);
        string root = Root(zip);
        Require(
            zip,
            $"{root}/version",
            text => int.TryParse(text, out int version) && version is >= 1 and <= 10,
            "format version 1 to 10",
            isNeeded: true
        );
        Require(zip, $"{root}/byteorder", text => text == "little", "little-endian data", isNeeded: false);
        byte[] pickle = Pickle(zip.Members[$"{root}/data.pkl"]);
        object? value = PickleReader.Read(reader.Name, pickle, key => zip.Members.GetValueOrDefault($"{root}/data/{key}"));
        _root = value as PickleDictionary
            ?? throw new TorchArchiveException(reader.Name, "data.pkl", "a dictionary of tensors", "another value",
                "in PyTorch save a state dictionary: torch.save(model.state_dict(), path)");
        Tensors = Walk(_root);
        foreach (TorchTensor tensor in Tensors)
        {
            _byName.Add(tensor.Name, tensor);
        }
    }

    /// <summary>All tensors in the order of the file, named by the keys that lead to them, joined by points.</summary>
    public IReadOnlyList<TorchTensor> Tensors { get; }

    /// <summary>The keys of the outermost dictionary in the order of the file.</summary>
    public IReadOnlyList<string> Keys => [.. _root.Keys.Select(k => k.ToString()!)];

    /// <summary>Opens and validates the file at <paramref name="path"/>.</summary>
    /// <exception cref="TorchArchiveException">The file cannot be opened, is malformed, or holds something else than data.</exception>
    public static TorchArchive Open(string path)
    {
        FileStream stream;
        try
        {
            stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new TorchArchiveException(path, "open", "a readable file", e.Message, "check the path and its permissions", e);
        }

        return Open(stream, path);
    }

    /// <summary>
    /// Validates a seekable stream, which the result owns from here on (also when this throws); <paramref name="name"/> is for messages.
    /// </summary>
    /// <exception cref="TorchArchiveException">The content is malformed or holds something else than data.</exception>
    public static TorchArchive Open(Stream stream, string name)
    {
        try
        {
            return new TorchArchive(new RandomReader(stream, name));
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>The tensor called <paramref name="name"/> among <see cref="Tensors"/>.</summary>
    /// <exception cref="TorchArchiveException">There is none.</exception>
    public TorchTensor this[string name] => _byName.TryGetValue(name, out TorchTensor? tensor)
        ? tensor
        : throw new TorchArchiveException(_reader.Name, $"tensor '{name}'", "it to be in the file", $"{Tensors.Count} other tensors",
            "check that the file belongs to this model");

    /// <summary>
    /// The tensors of the dictionary that <paramref name="key"/> of the outermost one leads to, as <c>state_dict</c> or <c>model</c> in checkpoints
    /// of training; names begin behind that key.
    /// </summary>
    /// <exception cref="TorchArchiveException">There is no such key or it leads to something else.</exception>
    public IReadOnlyList<TorchTensor> TensorsIn(string key) => _root.TryGet(key, out object? value) && value is PickleDictionary dictionary
        ? Walk(dictionary)
        : throw new TorchArchiveException(_reader.Name, $"key '{key}'", "a dictionary of tensors", value is null ? "none" : "another value",
            $"the file has the keys {string.Join(", ", Keys.Take(8).Select(Quote))}; name one of them or take another file");

    /// <summary>
    /// Reads the tensor's little-endian bytes in row-major order from <paramref name="offset"/> on, as many as the destination holds.
    /// </summary>
    /// <remarks>
    /// A contiguous tensor is read straight from the file. Another one is put in order in memory first and kept until the next one is.
    /// </remarks>
    /// <exception cref="TorchArchiveException">The range leaves the tensor, a tensor that is not contiguous exceeds 1 GiB, or a read
    /// error.</exception>
    public void ReadBytes(TorchTensor tensor, long offset, Span<byte> destination)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        if (offset < 0 || offset > tensor.ByteCount - destination.Length)
        {
            throw new TorchArchiveException(_reader.Name, $"tensor {Quote(tensor.Name)}", $"a byte range within [0,{tensor.ByteCount})",
                $"{destination.Length} bytes from {offset}", "ask for bytes of the tensor only");
        }

        if (tensor.IsContiguous)
        {
            TorchView view = tensor.View;
            _reader.Read(view.Storage.Member.Offset + (view.Offset * tensor.Type.Size()) + offset, destination, $"tensor {Quote(tensor.Name)}");
            return;
        }

        lock (_lock)
        {
            if (_inOrder.View != tensor.View)
            {
                _inOrder = (null, []);
                _inOrder = (tensor.View, InOrder(tensor));
            }

            _inOrder.Bytes.AsSpan((int)offset, destination.Length).CopyTo(destination);
        }
    }

    /// <summary>Reads all data of <see cref="Tensors"/> once and compares them with the checksums of the archive.</summary>
    /// <exception cref="TorchArchiveException">Data are damaged or cannot be read.</exception>
    public void Verify()
    {
        foreach (StoredZipMember member in Tensors.Select(t => t.View.Storage.Member).Distinct().OrderBy(m => m.Offset))
        {
            Verify(member);
        }
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => _reader.Dispose();

    private string Root(StoredZip zip)
    {
        const string Pickle = "/data.pkl";
        string[] pickles = [.. zip.Members.Keys.Where(n => n.EndsWith(Pickle, StringComparison.Ordinal)
            && n.IndexOf('/', StringComparison.Ordinal) == n.Length - Pickle.Length)];
        if (pickles.Length != 1)
        {
            throw new TorchArchiveException(_reader.Name, "archive", "one folder with data.pkl", $"{pickles.Length}", Damaged);
        }

        string root = pickles[0][..^Pickle.Length];
        if (zip.Members.ContainsKey($"{root}/constants.pkl"))
        {
            throw new TorchArchiveException(_reader.Name, "archive", "weights of torch.save", "a program of torch.jit (constants.pkl)",
                "in PyTorch save the weights alone: torch.save(torch.jit.load(path).state_dict(), new_path)");
        }

        string? stray = zip.Members.Keys.FirstOrDefault(n => !n.StartsWith(root + "/", StringComparison.Ordinal));
        return stray is null
            ? root
            : throw new TorchArchiveException(_reader.Name, "archive", $"all members in folder {Quote(root)}", Quote(stray), Damaged);
    }

    private void Require(StoredZip zip, string name, Func<string, bool> isRight, string expected, bool isNeeded)
    {
        string? text = zip.Members.TryGetValue(name, out StoredZipMember? member)
            ? System.Text.Encoding.ASCII.GetString(_reader.Bytes(member.Offset, (int)Math.Min(member.Size, 16), name)).Trim()
            : null;
        if (text is null ? isNeeded : !isRight(text))
        {
            throw new TorchArchiveException(_reader.Name, Quote(name), expected, text is null ? "no such member" : Quote(text),
                "load the file in PyTorch on a little-endian machine and save it again with torch.save(state_dict, path)");
        }
    }

    private byte[] Pickle(StoredZipMember member)
    {
        if (member.Size > PickleReader.MostBytes)
        {
            throw new TorchArchiveException(_reader.Name, "data.pkl", $"at most {PickleReader.MostBytes} bytes", $"{member.Size}",
                "in PyTorch save the weights alone: torch.save(model.state_dict(), path)");
        }

        byte[] pickle = _reader.Bytes(member.Offset, (int)member.Size, "data.pkl");
        return Crc32.HashToUInt32(pickle) == member.Crc32 ? pickle : throw Mismatch(member);
    }

    private void Verify(StoredZipMember member)
    {
        var checksum = new Crc32();
        var buffer = new byte[Math.Min(CheckBytes, member.Size)];
        for (long done = 0; done < member.Size;)
        {
            Span<byte> part = buffer.AsSpan(0, (int)Math.Min(buffer.Length, member.Size - done));
            _reader.Read(member.Offset + done, part, $"member {Quote(member.Name)}");
            checksum.Append(part);
            done += part.Length;
        }

        if (checksum.GetCurrentHashAsUInt32() != member.Crc32)
        {
            throw Mismatch(member);
        }
    }

    private TorchArchiveException Mismatch(StoredZipMember member) =>
        new(_reader.Name, $"member {Quote(member.Name)}", $"bytes with checksum {member.Crc32:x8}", "other bytes",
            "the file is damaged; fetch or save it again");

    private byte[] InOrder(TorchTensor tensor)
    {
        TorchView view = tensor.View;
        int size = tensor.Type.Size();
        if (Math.Max(view.Span, view.Count) > MostStridedBytes / size)
        {
            throw new TorchArchiveException(
                _reader.Name,
                $"tensor {Quote(tensor.Name)}",
                $"elements one after another, or within {MostStridedBytes} bytes",
                $"{view.Span * size} bytes",
                "in PyTorch save it with .contiguous()"
            );
        }

        byte[] source = _reader.Bytes(view.Storage.Member.Offset + (view.Offset * size), (int)view.Span * size, $"tensor {Quote(tensor.Name)}");
        var target = new byte[view.Count * size];
        switch (size)
        {
            case 1:
                view.Gather<byte>(source, target);
                break;
            case 2:
                view.Gather<ushort>(MemoryMarshal.Cast<byte, ushort>(source), MemoryMarshal.Cast<byte, ushort>(target.AsSpan()));
                break;
            case 4:
                view.Gather<uint>(MemoryMarshal.Cast<byte, uint>(source), MemoryMarshal.Cast<byte, uint>(target.AsSpan()));
                break;
            default:
                view.Gather<ulong>(MemoryMarshal.Cast<byte, ulong>(source), MemoryMarshal.Cast<byte, ulong>(target.AsSpan()));
                break;
        }

        return target;
    }

    /// <summary>
    /// The tensors below <paramref name="root"/>. A pickle can refer to one container in many places and to itself, so visits, depth and the
    /// characters of names are bounded and not only what the file holds.
    /// </summary>
    private List<TorchTensor> Walk(PickleDictionary root)
    {
        var found = new List<TorchTensor>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        int visits = 0;
        long characters = 0;
        Visit(root, "", 0);
        return found;

        void Visit(object? value, string name, int depth)
        {
            characters += name.Length;
            if (++visits > MostVisits || characters > MostNameCharacters || depth > MostDepth || name.Length > LongestName)
            {
                throw new TorchArchiveException(_reader.Name, "data.pkl",
                    $"at most {MostVisits} values {MostDepth} deep with names of at most {LongestName} characters, {MostNameCharacters} in all",
                    $"more at {Quote(name)}", Damaged);
            }

            switch (value)
            {
                case TorchView view:
                    found.Add(names.Add(name) ? new TorchTensor(name, view)
                        : throw new TorchArchiveException(_reader.Name, "data.pkl", "unique names of tensors", $"{Quote(name)} twice", Damaged));
                    break;
                case PickleDictionary dictionary:
                    foreach (object key in dictionary.Keys)
                    {
                        Visit(dictionary[key], Joined(name, key.ToString()!, depth), depth + 1);
                    }

                    break;
                case IReadOnlyList<object?> list:
                    for (int i = 0; i < list.Count; i++)
                    {
                        Visit(list[i], Joined(name, $"{i}", depth), depth + 1);
                    }

                    break;
            }
        }
    }

    private static string Joined(string name, string key, int depth) => depth == 0 ? key : $"{name}.{key}";
}
