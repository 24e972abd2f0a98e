using System.Globalization;
using System.Runtime.InteropServices;
using CoGrpo.Runtime.Cuda;

namespace CoGrpo.CudaEmulator.Tool;

/// <summary>
/// An argument of a kernel as the command line names it: a value, <c>i32=1024</c>, or memory, <c>f32:1024:random:out</c> (type, number of elements,
/// content, and whether it is printed afterwards).
/// </summary>
internal sealed class ToolArgument
{
    private const string Forms = "f32, f64, f16, bf16, i8, u8, i16, u16, i32, u32, i64, u64";

    private readonly string _type;
    private readonly byte[] _bytes;
    private readonly bool _isWritten;

    private ToolArgument(string text, string type, byte[] bytes, bool isMemory, bool isWritten, bool isPrinted)
    {
        (Text, _type, _bytes, IsMemory, _isWritten, IsPrinted) = (text, type, bytes, isMemory, isWritten, isPrinted);
    }

    public string Text { get; }

    public bool IsMemory { get; }

    /// <summary>Whether the content is shown after the launch.</summary>
    public bool IsPrinted { get; }

    public long Bytes => _bytes.Length;

    /// <summary>Reads an argument.</summary>
    /// <exception cref="ToolException">It has another form.</exception>
    public static ToolArgument Parse(string text, int seed)
    {
        int equals = text.IndexOf('=', StringComparison.Ordinal);
        if (equals > 0)
        {
            string scalar = text[..equals];
            return new ToolArgument(text, scalar, Number(scalar, text[(equals + 1)..], text), false, true, false);
        }

        string[] parts = text.Split(':');
        if (
            parts.Length < 2
            || !long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out long count)
            || count is < 1 or > 1 << 28
        )
        {
            throw new ToolException($"--arg {text}: wanted TYPE=VALUE or TYPE:COUNT[:CONTENT][:out], for example f32:1024:random:out");
        }

        bool printed = parts[^1] == "out";
        string[] rest = parts[2..(printed ? ^1 : ^0)];
        string content = rest.Length switch { 0 => "none", 1 => rest[0], _ => throw new ToolException($"--arg {text}: wanted at most one content") };
        int size = Size(parts[0], text);
        byte[] bytes = new byte[count * size];
        if (content != "none")
        {
            Random random = new(seed);
            byte[]? same = content is "random" or "index" or "zero" ? null : Number(parts[0], content, text);
            for (long i = 0; i < count; i++)
            {
                byte[] element = same ?? content switch
                {
                    "index" => Number(parts[0], (parts[0] is "i8" or "u8" ? i & 127 : i).ToString(CultureInfo.InvariantCulture), text),
                    "random" => Number(parts[0], Random(parts[0], random), text),
                    _ => new byte[size],
                };
                element.CopyTo(bytes, i * size);
            }
        }

        return new ToolArgument(text, parts[0], bytes, true, content != "none", printed);
    }

    /// <summary>Puts the argument on the device; the memory, or null for a value.</summary>
    public unsafe CudaDeviceMemory? Upload(CudaContext context, CudaStream stream)
    {
        if (!IsMemory)
        {
            return null;
        }

        CudaDeviceMemory memory = new(context, _bytes.Length, Text);
        if (_isWritten)
        {
            fixed (byte* from = _bytes)
            {
                stream.CopyToDevice((nint)from, memory.Address, _bytes.Length);
            }
        }

        return memory;
    }

    /// <summary>Writes the value as the kernel takes it.</summary>
    public void WriteTo(Span<byte> place) => _bytes.CopyTo(place);

    /// <summary>The first elements and the sum of what a kernel left.</summary>
    public string Show(ReadOnlySpan<byte> bytes)
    {
        int size = Size(_type, Text);
        int count = bytes.Length / size;
        List<string> head = [];
        double sum = 0;
        for (int i = 0; i < count; i++)
        {
            double value = Value(_type, bytes.Slice(i * size, size));
            sum += value;
            if (i < 8)
            {
                head.Add(value.ToString("G9", CultureInfo.InvariantCulture));
            }
        }

        return $"{Text}: {string.Join(' ', head)}{(count > 8 ? " …" : "")}; sum {sum.ToString("G12", CultureInfo.InvariantCulture)}";
    }

    private static string Random(string type, Random random) => type switch
    {
        "f32" or "f64" or "f16" or "bf16" => ((2 * random.NextDouble()) - 1).ToString("R", CultureInfo.InvariantCulture),
        "i8" => random.Next(-128, 128).ToString(CultureInfo.InvariantCulture),
        "u8" => random.Next(256).ToString(CultureInfo.InvariantCulture),
        _ => random.Next(0, 1000).ToString(CultureInfo.InvariantCulture),
    };

    private static int Size(string type, string text) => type switch
    {
        "i8" or "u8" => 1,
        "f16" or "bf16" or "i16" or "u16" => 2,
        "f32" or "i32" or "u32" => 4,
        "f64" or "i64" or "u64" => 8,
        _ => throw new ToolException($"--arg {text}: wanted a type of {Forms}, got {type}"),
    };

    private static byte[] Number(string type, string value, string text)
    {
        CultureInfo plain = CultureInfo.InvariantCulture;
        try
        {
            return type switch
            {
                "f32" => BitConverter.GetBytes(float.Parse(value, plain)),
                "f64" => BitConverter.GetBytes(double.Parse(value, plain)),
                "f16" => BitConverter.GetBytes(Half.Parse(value, plain)),
                "bf16" => BitConverter.GetBytes((ushort)Operations.BFloat16.FromSingle(float.Parse(value, plain))),
                "i8" => [(byte)sbyte.Parse(value, plain)],
                "u8" => [byte.Parse(value, plain)],
                "i16" => BitConverter.GetBytes(short.Parse(value, plain)),
                "u16" => BitConverter.GetBytes(ushort.Parse(value, plain)),
                "i32" => BitConverter.GetBytes(int.Parse(value, plain)),
                "u32" => BitConverter.GetBytes(uint.Parse(value, plain)),
                "i64" => BitConverter.GetBytes(long.Parse(value, plain)),
                "u64" => BitConverter.GetBytes(ulong.Parse(value, plain)),
                _ => throw new ToolException($"--arg {text}: wanted a type of {Forms}, got {type}"),
            };
        }
        catch (Exception error) when (error is FormatException or OverflowException)
        {
            throw new ToolException($"--arg {text}: wanted a value of {type} (or random, index, zero, none), got {value}");
        }
    }

    private static double Value(string type, ReadOnlySpan<byte> bytes) => type switch
    {
        "f32" => MemoryMarshal.Read<float>(bytes),
        "f64" => MemoryMarshal.Read<double>(bytes),
        "f16" => (double)MemoryMarshal.Read<Half>(bytes),
        "bf16" => Operations.BFloat16.ToSingle(MemoryMarshal.Read<ushort>(bytes)),
        "i8" => (sbyte)bytes[0],
        "u8" => bytes[0],
        "i16" => MemoryMarshal.Read<short>(bytes),
        "u16" => MemoryMarshal.Read<ushort>(bytes),
        "i32" => MemoryMarshal.Read<int>(bytes),
        "u32" => MemoryMarshal.Read<uint>(bytes),
        "i64" => MemoryMarshal.Read<long>(bytes),
        _ => MemoryMarshal.Read<ulong>(bytes),
    };
}
