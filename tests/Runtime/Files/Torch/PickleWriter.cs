using System.Buffers.Binary;
using System.Text;

namespace CoGrpo.Tests.Runtime.Files.Torch;

/// <summary>Writes a pickle opcode by opcode, well-formed or not.</summary>
internal sealed class PickleWriter
{
    private readonly MemoryStream _bytes = new();

    /// <summary>A pickle of protocol 2.</summary>
    public static PickleWriter Start => new PickleWriter().Raw(0x80, 2);

    public PickleWriter Raw(params byte[] bytes)
    {
        _bytes.Write(bytes);
        return this;
    }

    public PickleWriter Raw(string latin1) => Raw(Encoding.Latin1.GetBytes(latin1));

    public PickleWriter Raw(string latin1, byte argument) => Raw(latin1).Raw(argument);

    public PickleWriter Global(string module, string name) => Raw($"c{module}\n{name}\n");

    public PickleWriter Text(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        return Raw("X").Word((uint)bytes.Length).Raw(bytes);
    }

    public PickleWriter Word(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        return Raw(bytes);
    }

    public PickleWriter Number(long value)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        return value is >= 0 and < 256 ? Raw((byte)'K', (byte)value) : Raw(0x8A, 8).Raw(bytes);
    }

    /// <summary>A tuple of whole numbers, with a mark.</summary>
    public PickleWriter Numbers(params long[] values)
    {
        Raw("(");
        foreach (long value in values)
        {
            Number(value);
        }

        return Raw("t");
    }

    public PickleWriter Storage(string key, long count, string type = "FloatStorage") =>
        Raw("(").Text("storage").Global("torch", type).Text(key).Text("cpu").Number(count).Raw("tQ");

    public PickleWriter Tensor(string key, long count, long offset, long[] sizes, long[] strides, string type = "FloatStorage") =>
        Global("torch._utils", "_rebuild_tensor_v2").Raw("(").Storage(key, count, type).Number(offset).Numbers(sizes).Numbers(strides)
            .Raw(0x89).Global("collections", "OrderedDict").Raw(")RtR");

    /// <summary>A dictionary of the entries that <paramref name="entries"/> writes.</summary>
    public PickleWriter Dictionary(Action<PickleWriter> entries)
    {
        Raw("}(");
        entries(this);
        return Raw("u");
    }

    public byte[] Stop()
    {
        Raw(".");
        return _bytes.ToArray();
    }
}
