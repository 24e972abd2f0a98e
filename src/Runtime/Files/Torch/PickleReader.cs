using System.Buffers.Binary;
using System.Numerics;
using System.Text;
using static CoGrpo.Runtime.Files.UntrustedText;

namespace CoGrpo.Runtime.Files.Torch;

/// <summary>
/// Reads the pickle of a PyTorch archive as data. It is a stack machine over a list of opcodes (<see cref="PickleOpcode"/>) and of globals
/// (<see cref="TorchGlobal"/>), each of which stands for a container, a number, a text or a tensor here; nothing in a file can make it run anything
/// else. Memory is bounded by the number of opcodes, since none copies what another made.
/// </summary>
internal ref struct PickleReader
{
    /// <summary>The largest pickle that is read, in bytes; a state dictionary of a thousand tensors has some 150 kB.</summary>
    public const int MostBytes = 1 << 24;

    private const int MostOpcodes = 1 << 21;
    private const int LongestLine = 256;
    private const int MostDimensions = 64;
    private const string Damaged = "the file is damaged or was not written by torch.save; fetch or save it again";
    private const string Code =
        "a file with code or whole objects is not run; in PyTorch save the weights alone, torch.save(model.state_dict(), path), or take a safetensors copy";

    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    private readonly string _file;
    private readonly ReadOnlySpan<byte> _pickle;
    private readonly Func<string, StoredZipMember?> _storageMember;
    private readonly Dictionary<string, TorchStorage> _storages = new(StringComparer.Ordinal);
    private readonly Dictionary<uint, object?> _memo = [];
    private readonly List<object?> _stack = [];
    private readonly List<int> _marks = [];
    private int _at;
    private int _opcodeAt;

    private PickleReader(string file, ReadOnlySpan<byte> pickle, Func<string, StoredZipMember?> storageMember)
    {
        _file = file;
        _pickle = pickle;
        _storageMember = storageMember;
    }

    /// <summary>
    /// The value of <paramref name="pickle"/>: null, bool, long, BigInteger, double, string, byte[], object[] (tuple), List,
    /// <see cref="PickleDictionary"/>, <see cref="TorchGlobal"/>, <see cref="TorchStorage"/> or <see cref="TorchView"/>.
    /// </summary>
    /// <param name="file">For messages.</param>
    /// <param name="pickle">The bytes of <c>data.pkl</c>.</param>
    /// <param name="storageMember">The archive's member of a storage key, null when there is none.</param>
    /// <exception cref="TorchArchiveException">The pickle is malformed or holds something else than data.</exception>
    public static object? Read(string file, ReadOnlySpan<byte> pickle, Func<string, StoredZipMember?> storageMember) =>
        new PickleReader(file, pickle, storageMember).Run();

    private object? Run()
    {
        if (Byte() != (byte)PickleOpcode.Protocol || Byte() is < 2 or > 5)
        {
            throw Refuse("a pickle of protocol 2 to 5", "another beginning");
        }

        for (int opcodes = 0; opcodes < MostOpcodes; opcodes++)
        {
            _opcodeAt = _at;
            var opcode = (PickleOpcode)Byte();
            if (opcode == PickleOpcode.Stop)
            {
                return _stack.Count == 1 && _marks.Count == 0 && _at == _pickle.Length ? _stack[0]
                    : throw Refuse("one value at the end", $"{_stack.Count} values, {_marks.Count} marks and {_pickle.Length - _at} more bytes");
            }

            Execute(opcode);
        }

        throw Refuse($"at most {MostOpcodes} opcodes", "more");
    }

    private void Execute(PickleOpcode opcode)
    {
        switch (opcode)
        {
            case PickleOpcode.Mark:
                _marks.Add(_stack.Count);
                break;
            case PickleOpcode.None or PickleOpcode.True or PickleOpcode.False:
                _stack.Add(opcode == PickleOpcode.None ? null : opcode == PickleOpcode.True);
                break;
            case PickleOpcode.Int:
                _stack.Add((long)BinaryPrimitives.ReadInt32LittleEndian(Take(4)));
                break;
            case PickleOpcode.Int1:
                _stack.Add((long)Byte());
                break;
            case PickleOpcode.Int2:
                _stack.Add((long)BinaryPrimitives.ReadUInt16LittleEndian(Take(2)));
                break;
            case PickleOpcode.Long1:
                ReadOnlySpan<byte> digits = Take(Byte());
                _stack.Add(digits.Length <= sizeof(long) ? (object)(long)new BigInteger(digits) : new BigInteger(digits));
                break;
            case PickleOpcode.Float:
                _stack.Add(BinaryPrimitives.ReadDoubleBigEndian(Take(8)));
                break;
            case PickleOpcode.Unicode:
                _stack.Add(Text(Take(Length())));
                break;
            case PickleOpcode.ShortUnicode:
                _stack.Add(Text(Take(Byte())));
                break;
            case PickleOpcode.Bytes:
                _stack.Add(Take(Length()).ToArray());
                break;
            case PickleOpcode.ShortBytes:
                _stack.Add(Take(Byte()).ToArray());
                break;
            case PickleOpcode.Frame:
                Frame();
                break;
            case PickleOpcode.Put or PickleOpcode.LongPut or PickleOpcode.Memoize:
                _memo[opcode == PickleOpcode.Put ? Byte() : opcode == PickleOpcode.LongPut ? Word() : (uint)_memo.Count] = Top();
                break;
            case PickleOpcode.Get or PickleOpcode.LongGet:
                uint index = opcode == PickleOpcode.Get ? Byte() : Word();
                _stack.Add(_memo.TryGetValue(index, out object? value) ? value : throw Refuse("a value remembered before", $"index {index}"));
                break;
            default:
                Build(opcode);
                break;
        }
    }

    private void Build(PickleOpcode opcode)
    {
        switch (opcode)
        {
            case PickleOpcode.EmptyTuple:
                _stack.Add(Array.Empty<object?>());
                break;
            case PickleOpcode.Tuple1 or PickleOpcode.Tuple2 or PickleOpcode.Tuple3:
                _stack.Add(Pop(opcode - PickleOpcode.Tuple1 + 1));
                break;
            case PickleOpcode.Tuple:
                _stack.Add(PopToMark());
                break;
            case PickleOpcode.EmptyList:
                _stack.Add(new List<object?>());
                break;
            case PickleOpcode.Append or PickleOpcode.Appends:
                object?[] items = opcode == PickleOpcode.Append ? Pop(1) : PopToMark();
                (Top() as List<object?> ?? throw Refuse("a list to append to", Kind(Top()))).AddRange(items);
                break;
            case PickleOpcode.EmptyDictionary:
                _stack.Add(new PickleDictionary());
                break;
            case PickleOpcode.SetItem or PickleOpcode.SetItems:
                SetItems(opcode == PickleOpcode.SetItem ? Pop(2) : PopToMark());
                break;
            case PickleOpcode.Global:
                _stack.Add(Global(Line(), Line()));
                break;
            case PickleOpcode.StackGlobal:
                object?[] names = Pop(2);
                _stack.Add(names is [string module, string name] ? Global(module, name)
                    : throw Refuse("module and name as texts", $"{Kind(names[0])} and {Kind(names[1])}"));
                break;
            case PickleOpcode.PersistentId:
                _stack.Add(Storage(Pop(1)[0]));
                break;
            case PickleOpcode.Reduce:
                object?[] call = Pop(2);
                _stack.Add(Call(call[0] as TorchGlobal ?? throw Refuse("a known function to call", Kind(call[0])),
                    call[1] as object?[] ?? throw Refuse("arguments in a tuple", Kind(call[1]))));
                break;
            case PickleOpcode.Build:
                // The state of a dictionary of weights is its _metadata, versions of modules, which nothing here depends on.
                object? state = Pop(1)[0];
                if (Top() is not PickleDictionary || state is not PickleDictionary)
                {
                    throw new TorchArchiveException(_file, Place, "attributes of a dictionary only", $"{Kind(state)} for {Kind(Top())}", Code);
                }

                break;
            default:
                throw new TorchArchiveException(_file, Place, "an opcode that describes data", $"0x{(byte)opcode:x2}", Code);
        }
    }

    private readonly void SetItems(object?[] items)
    {
        PickleDictionary target = Top() as PickleDictionary ?? throw Refuse("a dictionary", Kind(Top()));
        if (items.Length % 2 != 0)
        {
            throw Refuse("keys and values in pairs", $"{items.Length} values");
        }

        for (int i = 0; i < items.Length; i += 2)
        {
            object? key = items[i];
            // Within 32 bits, since numbers of 64 bits could be chosen to have one hash.
            if (key is not (string or (long and >= int.MinValue and <= int.MaxValue)))
            {
                throw Refuse("a text or a whole number of 32 bits as key", Kind(key));
            }

            if (!target.TryAdd(key, items[i + 1]))
            {
                throw Refuse("unique keys", $"{Quote(key.ToString()!)} twice");
            }
        }
    }

    private readonly TorchGlobal Global(string module, string name) => TorchGlobal.Find(module, name)
        ?? throw new TorchArchiveException(_file, Place, "a global of tensors and dictionaries", Quote($"{module} {name}"), Code);

    private readonly TorchStorage Storage(object? id)
    {
        if (
            id is not object?[] parts
            || parts is not ["storage", TorchGlobal { Kind: TorchGlobal.Role.Storage } type, string key, string, long count]
        )
        {
            throw Refuse("('storage', class, key, device, count)", Kind(id));
        }

        if (_storages.TryGetValue(key, out TorchStorage? known))
        {
            return known.Type == type.StorageType && known.Count == count ? known
                : throw Refuse($"storage {Quote(key)} as before, {known.Count} of {known.Type}", $"{count} of {type.StorageType}");
        }

        StoredZipMember member = _storageMember(key) ?? throw Refuse($"a member in data/ for storage {Quote(key)}", "none");
        if (count < 0 || count > member.Size || count * type.StorageType.Size() != member.Size)
        {
            throw Refuse($"{member.Size} bytes for storage {Quote(key)}, as its member has", $"{count} elements of {type.StorageType}");
        }

        var storage = new TorchStorage(member, type.StorageType, count);
        _storages.Add(key, storage);
        return storage;
    }

    private readonly object? Call(TorchGlobal function, object?[] arguments) => function.Kind switch
    {
        TorchGlobal.Role.OrderedDictionary when arguments.Length == 0 => new PickleDictionary(),
        TorchGlobal.Role.Tensor when arguments is [TorchStorage storage, long offset, object?[] sizes, object?[] strides, bool, PickleDictionary, ..]
            && arguments.Length <= 7 =>
            View(storage, offset, Numbers(sizes, "size"), Numbers(strides, "stride")),
        TorchGlobal.Role.Parameter when arguments is [TorchView view, bool, PickleDictionary, ..] && arguments.Length <= 4 => view,
        TorchGlobal.Role.Size when arguments is [object?[] sizes] => sizes,
        TorchGlobal.Role.Device when arguments is [string name, ..] && arguments.Length <= 2 => name,
        _ => throw Refuse($"arguments that fit {function.Name}", $"({string.Join(", ", arguments.Take(8).Select(Kind))})"),
    };

    private readonly TorchView View(TorchStorage storage, long offset, long[] sizes, long[] strides) =>
        TorchView.Create(storage, offset, sizes, strides)
        ?? throw Refuse(
            $"a tensor within the {storage.Count} elements of its storage and no larger",
            $"offset {offset}, size {Shown(sizes)}, stride {Shown(strides)}"
        );

    private readonly long[] Numbers(object?[] values, string what)
    {
        if (values.Length > MostDimensions || !values.All(v => v is long))
        {
            throw Refuse($"{what} as up to {MostDimensions} whole numbers below 2^63", $"{values.Length} values");
        }

        return [.. values.Cast<long>()];
    }

    private readonly void Require(int count)
    {
        int free = _stack.Count - (_marks.Count > 0 ? _marks[^1] : 0);
        if (free < count)
        {
            throw Refuse($"{count} values on the stack", $"{free}");
        }
    }

    private readonly object? Top()
    {
        Require(1);
        return _stack[^1];
    }

    private readonly object?[] Pop(int count)
    {
        Require(count);
        object?[] values = [.. _stack[^count..]];
        _stack.RemoveRange(_stack.Count - count, count);
        return values;
    }

    private readonly object?[] PopToMark()
    {
        if (_marks.Count == 0)
        {
            throw Refuse("a mark on the stack", "none");
        }

        object?[] values = Pop(_stack.Count - _marks[^1]);
        _marks.RemoveAt(_marks.Count - 1);
        return values;
    }

    private void Frame()
    {
        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(Take(8));
        if (length > (ulong)(_pickle.Length - _at))
        {
            throw Refuse($"a frame of at most {_pickle.Length - _at} bytes", $"{length}");
        }
    }

    private byte Byte() => Take(1)[0];

    private uint Word() => BinaryPrimitives.ReadUInt32LittleEndian(Take(4));

    private int Length()
    {
        uint length = Word();
        return length <= (uint)_pickle.Length ? (int)length : throw Refuse($"a length of at most {_pickle.Length} bytes", $"{length}");
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > _pickle.Length - _at)
        {
            throw Refuse($"{count} more bytes", $"{_pickle.Length - _at}");
        }

        ReadOnlySpan<byte> taken = _pickle.Slice(_at, count);
        _at += count;
        return taken;
    }

    private string Line()
    {
        ReadOnlySpan<byte> rest = _pickle[_at..];
        int length = rest[..Math.Min(rest.Length, LongestLine)].IndexOf((byte)'\n');
        if (length < 0)
        {
            throw Refuse($"a line of at most {LongestLine} bytes", "none");
        }

        string line = Text(rest[..length]);
        _at += length + 1;
        return line;
    }

    private readonly string Text(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return StrictUtf8.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            throw Refuse("text in UTF-8", "other bytes");
        }
    }

    private readonly string Place => $"data.pkl, byte {_opcodeAt}";

    private readonly TorchArchiveException Refuse(string expected, string found) => new(_file, Place, expected, found, Damaged);

    private static string Shown(long[] numbers) =>
        numbers.Length <= 8 ? $"({string.Join(",", numbers)})" : $"({string.Join(",", numbers.Take(8))},... {numbers.Length} numbers)";

    private static string Kind(object? value) => value switch
    {
        null => "None",
        bool => "a truth value",
        long or BigInteger => "a whole number",
        double => "a number",
        string => "a text",
        byte[] => "bytes",
        object?[] tuple => $"a tuple of {tuple.Length}",
        List<object?> => "a list",
        PickleDictionary => "a dictionary",
        TorchGlobal global => global.Name,
        TorchStorage => "a storage",
        _ => "a tensor",
    };
}
