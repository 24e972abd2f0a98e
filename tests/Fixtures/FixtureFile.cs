using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace CoGrpo.Tests.Fixtures;

/// <summary>A safetensors file of golden values, read whole: u64 header length, JSON header, data. Independent of the product's own reader.</summary>
internal sealed class FixtureFile
{
    private readonly byte[] _data;
    private readonly Dictionary<string, (string Type, int[] Shape, int Start, int End)> _entries = [];

    /// <summary>Reads the file at <paramref name="path"/>.</summary>
    public FixtureFile(string path)
    {
        byte[] file = File.ReadAllBytes(path);
        int header = checked((int)BinaryPrimitives.ReadUInt64LittleEndian(file));
        _data = file[(8 + header)..];
        using JsonDocument json = JsonDocument.Parse(file.AsMemory(8, header));
        foreach (JsonProperty entry in json.RootElement.EnumerateObject())
        {
            if (entry.Name != "__metadata__")
            {
                int[] offsets = [.. entry.Value.GetProperty("data_offsets").EnumerateArray().Select(x => x.GetInt32())];
                int[] shape = [.. entry.Value.GetProperty("shape").EnumerateArray().Select(x => x.GetInt32())];
                _entries.Add(entry.Name, (entry.Value.GetProperty("dtype").GetString()!, shape, offsets[0], offsets[1]));
            }
        }
    }

    /// <summary>Names of all tensors.</summary>
    public IEnumerable<string> Names => _entries.Keys;

    /// <summary>Whether the file has a tensor of this name.</summary>
    public bool Has(string name) => _entries.ContainsKey(name);

    /// <summary>Sizes of a tensor.</summary>
    public int[] Shape(string name) => _entries[name].Shape;

    /// <summary>Values of a tensor of any element type, as fp64 (exact but for large I64).</summary>
    public double[] Doubles(string name)
    {
        (string type, _, int start, int end) = _entries[name];
        ReadOnlySpan<byte> bytes = _data.AsSpan(start, end - start);
        return type switch
        {
            "F64" => MemoryMarshal.Cast<byte, double>(bytes).ToArray(),
            "F32" => Array.ConvertAll(MemoryMarshal.Cast<byte, float>(bytes).ToArray(), x => (double)x),
            "F16" => Array.ConvertAll(MemoryMarshal.Cast<byte, Half>(bytes).ToArray(), x => (double)x),
            "I64" => Array.ConvertAll(MemoryMarshal.Cast<byte, long>(bytes).ToArray(), x => (double)x),
            "I32" => Array.ConvertAll(MemoryMarshal.Cast<byte, int>(bytes).ToArray(), x => (double)x),
            "U8" or "BOOL" => Array.ConvertAll(bytes.ToArray(), x => (double)x),
            _ => throw new InvalidDataException($"{name}: element type {type} is not one of F64 F32 F16 I64 I32 U8"),
        };
    }

    /// <summary>Values of a tensor, as fp32.</summary>
    public float[] Floats(string name) => Array.ConvertAll(Doubles(name), x => (float)x);

    /// <summary>Values of an integer tensor, as int.</summary>
    public int[] Ints(string name) => Array.ConvertAll(Doubles(name), x => checked((int)x));
}
