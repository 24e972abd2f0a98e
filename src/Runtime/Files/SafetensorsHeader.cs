using System.Text.Json;
using System.Text.Unicode;
using static CoGrpo.Runtime.Files.UntrustedText;

namespace CoGrpo.Runtime.Files;

/// <summary>
/// Parses and validates the JSON header of a safetensors file. Whatever the bytes, it gives a consistent header or a
/// <see cref="SafetensorsException"/>.
/// </summary>
internal sealed class SafetensorsHeader
{
    /// <summary>The format's own limit on the header, in bytes.</summary>
    public const long MaxBytes = 100_000_000;

    private const string Damaged = "the file is damaged or not safetensors; fetch or write it again";
    private readonly string _file;
    private readonly long _dataBytes;

    private SafetensorsHeader(string file, long dataBytes)
    {
        _file = file;
        _dataBytes = dataBytes;
    }

    public Dictionary<string, SafetensorsTensor> Tensors { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, string> Metadata { get; } = new(StringComparer.Ordinal);

    public static SafetensorsHeader Parse(string file, ReadOnlySpan<byte> json, long dataBytes)
    {
        var header = new SafetensorsHeader(file, dataBytes);
        if (!Utf8.IsValid(json))
        {
            throw header.Refuse("header", "UTF-8 text", "invalid UTF-8");
        }

        if (json.IsEmpty || json[0] != (byte)'{')
        {
            throw header.Refuse("header", "a JSON object beginning with '{'", json.IsEmpty ? "nothing" : $"byte 0x{json[0]:x2}");
        }

        try
        {
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 3 });
            header.ReadEntries(ref reader);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            // InvalidOperation is how the reader reports an escaped lone surrogate.
            throw new SafetensorsException(file, "header", "strict JSON", e.Message, Damaged, e);
        }

        header.CheckLayout();
        return header;
    }

    private void ReadEntries(ref Utf8JsonReader reader)
    {
        bool hasMetadata = false;
        reader.Read();
        while (NextKey(ref reader, out string name))
        {
            if (name == "__metadata__")
            {
                if (hasMetadata)
                {
                    throw Refuse("header", "unique keys", "__metadata__ twice");
                }

                hasMetadata = true;
                ReadMetadata(ref reader);
            }
            else if (!Tensors.TryAdd(name, ReadTensor(ref reader, name)))
            {
                throw Refuse("header", "unique keys", $"{Quote(name)} twice");
            }
        }

        // Reads what follows the object: nothing or white space, else the reader throws.
        reader.Read();
    }

    private void ReadMetadata(ref Utf8JsonReader reader)
    {
        Expect(ref reader, JsonTokenType.StartObject, "__metadata__", "an object");
        while (NextKey(ref reader, out string key))
        {
            Expect(ref reader, JsonTokenType.String, $"__metadata__ {Quote(key)}", "a string");
            if (!Metadata.TryAdd(key, reader.GetString()!))
            {
                throw Refuse("__metadata__", "unique keys", $"{Quote(key)} twice");
            }
        }
    }

    private SafetensorsTensor ReadTensor(ref Utf8JsonReader reader, string name)
    {
        string where = $"tensor {Quote(name)}";
        SafetensorsType? type = null;
        List<long>? shape = null;
        List<long>? offsets = null;
        Expect(ref reader, JsonTokenType.StartObject, where, "an object with dtype, shape and data_offsets");
        while (NextKey(ref reader, out string key))
        {
            switch (key)
            {
                case "dtype" when type is null:
                    type = ReadType(ref reader, where);
                    break;
                case "shape" when shape is null:
                    shape = ReadNumbers(ref reader, $"{where} shape");
                    break;
                case "data_offsets" when offsets is null:
                    offsets = ReadNumbers(ref reader, $"{where} data_offsets");
                    break;
                default:
                    throw Refuse(where, "dtype, shape and data_offsets, each once", Quote(key));
            }
        }

        if (type is null || shape is null || offsets is null)
        {
            throw Refuse(where, "dtype, shape and data_offsets", $"no {(type is null ? "dtype" : shape is null ? "shape" : "data_offsets")}");
        }

        return Tensor(name, where, type.Value, shape, offsets);
    }

    private SafetensorsTensor Tensor(string name, string where, SafetensorsType type, List<long> shape, List<long> offsets)
    {
        if (offsets.Count != 2 || offsets[0] > offsets[1] || offsets[1] > _dataBytes)
        {
            throw Refuse($"{where} data_offsets", $"[begin, end] with 0 <= begin <= end <= {_dataBytes}", Numbers(offsets));
        }

        SafetensorsTensor tensor;
        try
        {
            tensor = new SafetensorsTensor(name, type, shape.ToArray()) { Begin = offsets[0] };
        }
        catch (OverflowException e)
        {
            throw new SafetensorsException(_file, $"{where} shape", "a size below 2^63 bytes", Numbers(shape), Damaged, e);
        }

        if (tensor.ByteCount != offsets[1] - offsets[0])
        {
            throw Refuse($"{where} data_offsets", $"{tensor.ByteCount} bytes for {type}{Numbers(shape)}", $"{offsets[1] - offsets[0]} bytes");
        }

        return tensor;
    }

    private SafetensorsType ReadType(ref Utf8JsonReader reader, string where)
    {
        Expect(ref reader, JsonTokenType.String, $"{where} dtype", "a string");
        string text = reader.GetString()!;

        // Enum.TryParse alone would take "3" and "F64,F32" too.
        return Enum.TryParse(text, out SafetensorsType type) && Enum.GetName(type) == text
            ? type
            : throw new SafetensorsException(_file, $"{where} dtype", string.Join(", ", Enum.GetNames<SafetensorsType>()), Quote(text),
                "convert the tensor to one of these types");
    }

    private List<long> ReadNumbers(ref Utf8JsonReader reader, string where)
    {
        var numbers = new List<long>();
        Expect(ref reader, JsonTokenType.StartArray, where, "an array of non-negative integers");
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out long number) || number < 0)
            {
                throw Refuse(where, "non-negative integers below 2^63", Found(ref reader));
            }

            numbers.Add(number);
        }

        return numbers;
    }

    /// <summary>The tensors must tile the data section: no gap, no overlap, nothing behind the last.</summary>
    private void CheckLayout()
    {
        long end = 0;
        foreach (SafetensorsTensor tensor in Tensors.Values.OrderBy(t => t.Begin).ThenBy(t => t.ByteCount))
        {
            if (tensor.Begin != end)
            {
                throw Refuse($"tensor {Quote(tensor.Name)} data_offsets", $"begin {end}, where the tensor before it ends",
                    $"begin {tensor.Begin} ({(tensor.Begin < end ? "overlap" : "gap")})");
            }

            end += tensor.ByteCount;
        }

        if (end != _dataBytes)
        {
            throw Refuse("data", $"{end} bytes, the end of the last tensor", $"{_dataBytes} bytes");
        }
    }

    /// <summary>Steps to the next key of the current object; false at its end.</summary>
    private static bool NextKey(ref Utf8JsonReader reader, out string key)
    {
        reader.Read();
        bool isKey = reader.TokenType == JsonTokenType.PropertyName;
        key = isKey ? reader.GetString()! : "";
        return isKey;
    }

    private void Expect(ref Utf8JsonReader reader, JsonTokenType token, string where, string expected)
    {
        reader.Read();
        if (reader.TokenType != token)
        {
            throw Refuse(where, expected, Found(ref reader));
        }
    }

    private SafetensorsException Refuse(string what, string expected, string found) => new(_file, what, expected, found, Damaged);

    private static string Found(ref Utf8JsonReader reader) => reader.TokenType switch
    {
        JsonTokenType.Number => System.Text.Encoding.UTF8.GetString(reader.ValueSpan[..Math.Min(reader.ValueSpan.Length, 40)]),
        JsonTokenType other => other.ToString(),
    };

    private static string Numbers(List<long> numbers) =>
        numbers.Count <= 8 ? $"[{string.Join(",", numbers)}]" : $"[{string.Join(",", numbers.Take(8))},... {numbers.Count} numbers]";
}
