using System.Buffers.Binary;
using System.Text;
using CoGrpo.Runtime.Files;

namespace CoGrpo.Tests.Runtime.Files;

public sealed class SafetensorsWriterTests
{
    private static readonly float[] Values = [0f, -0f, 1.5f, -3.25f, 65504f, float.PositiveInfinity];

    [Fact]
    public void Floating_point_types_round_trip()
    {
        using SafetensorsFile file = SafetensorsFileTests.Open(OneOfEachType());
        foreach (SafetensorsType type in Enum.GetValues<SafetensorsType>().Where(t => t <= SafetensorsType.BF16))
        {
            float[] expected = type == SafetensorsType.BF16 ? [0f, -0f, 1.5f, -3.25f, 65536f, float.PositiveInfinity] : Values;
            float[] read = file.ReadFloat32(type.ToString());
            Assert.Equal(expected.Select(BitConverter.SingleToInt32Bits), read.Select(BitConverter.SingleToInt32Bits));
        }
    }

    [Theory]
    [InlineData("I64", new long[] { 1, -2, long.MinValue })]
    [InlineData("I32", new long[] { 1, -2, int.MinValue })]
    [InlineData("I16", new long[] { 1, -2, short.MinValue })]
    [InlineData("I8", new long[] { 1, -2, sbyte.MinValue })]
    [InlineData("U8", new long[] { 1, 254, 128 })]
    [InlineData("BOOL", new long[] { 1, 0, 1 })]
    public void Integer_types_round_trip(string type, long[] expected)
    {
        using SafetensorsFile file = SafetensorsFileTests.Open(OneOfEachType());
        Assert.Equal(expected, file.ReadInt64(type));
        Assert.Equal(new long[] { 3, 1 }, file[type].Shape.ToArray());
    }

    [Fact]
    public void Metadata_scalars_and_empty_tensors_round_trip()
    {
        using SafetensorsFile file = SafetensorsFileTests.Open(OneOfEachType());
        Assert.Equal("naïve \"text\"", file.Metadata["note"]);
        Assert.Equal(0, file["scalar"].Shape.Length);
        Assert.Equal(7f, file.ReadFloat32("scalar")[0]);
        Assert.Empty(file.ReadFloat32("empty"));
    }

    [Fact]
    public void Bytes_are_deterministic_sorted_and_padded_to_eight()
    {
        byte[] first = OneOfEachType();
        Assert.Equal(first, OneOfEachType());
        int header = (int)BinaryPrimitives.ReadInt64LittleEndian(first);
        Assert.Equal(0, header % 8);
        using SafetensorsFile file = SafetensorsFileTests.Open(first);
        Assert.Equal(file.Tensors.Keys.Order(StringComparer.Ordinal), file.Tensors.Keys);
    }

    [Fact]
    public void Exact_bytes_of_a_small_file()
    {
        using var stream = new MemoryStream();
        var writer = new SafetensorsWriter(stream, [new SafetensorsTensor("w", SafetensorsType.F32, 1)]);
        writer.WriteFloat32("w", [1f]);
        writer.Complete();
        string header = """{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""".PadRight(56);
        Assert.Equal([56, 0, 0, 0, 0, 0, 0, 0, .. Encoding.ASCII.GetBytes(header), 0, 0, 0x80, 0x3f], stream.ToArray());
    }

    [Fact]
    public void Large_tensors_may_be_written_and_read_in_pieces()
    {
        float[] values = Enumerable.Range(0, 100_000).Select(i => i / 128f).ToArray();
        using var stream = new MemoryStream();
        var writer = new SafetensorsWriter(stream, [new SafetensorsTensor("w", SafetensorsType.F64, 100, 1000)]);
        for (int row = 0; row < 100; row++)
        {
            writer.WriteFloat32("w", values.AsSpan(row * 1000, 1000));
        }

        writer.Complete();
        using SafetensorsFile file = SafetensorsFileTests.Open(stream.ToArray());
        Assert.Equal(values, file.ReadFloat32("w"));
        Span<byte> last = stackalloc byte[8];
        file.ReadBytes("w", 8 * 99_999L, last);
        Assert.Equal(99_999 / 128.0, BinaryPrimitives.ReadDoubleLittleEndian(last));
    }

    [Fact]
    public void BFloat16_rounds_to_nearest_even_and_keeps_not_a_number()
    {
        // 1 + 2^-8 is half way between 1 and 1 + 2^-7: even is 1. 1 + 3 * 2^-8 is half way too: even is 1 + 2^-6.
        float[] values = [1f + (1f / 256), 1f + (3f / 256), BitConverter.Int32BitsToSingle(0x7f80_0001)];
        using var stream = new MemoryStream();
        var writer = new SafetensorsWriter(stream, [new SafetensorsTensor("w", SafetensorsType.BF16, 3)]);
        writer.WriteFloat32("w", values);
        writer.Complete();
        using SafetensorsFile file = SafetensorsFileTests.Open(stream.ToArray());
        Assert.Equal([1f, 1f + (1f / 64), float.NaN], file.ReadFloat32("w"));
    }

    [Fact]
    public void Order_size_and_completeness_are_enforced()
    {
        var a = new SafetensorsTensor("a", SafetensorsType.F32, 1);
        var b = new SafetensorsTensor("b", SafetensorsType.I32, 1);
        Assert.Throws<ArgumentException>(() => new SafetensorsWriter(Stream.Null, [a, a]));
        var writer = new SafetensorsWriter(Stream.Null, [b, a]);
        Assert.Throws<InvalidOperationException>(() => writer.WriteBytes("b", new byte[4]));
        Assert.Throws<InvalidOperationException>(() => writer.WriteBytes("a", new byte[5]));
        writer.WriteFloat32("a", [1f]);
        Assert.Throws<InvalidOperationException>(writer.Complete);
        Assert.Throws<InvalidOperationException>(() => writer.WriteFloat32("b", [1f]));
        writer.WriteBytes("b", new byte[4]);
        writer.Complete();
        Assert.Throws<InvalidOperationException>(() => writer.WriteBytes("b", new byte[1]));
    }

    internal static byte[] OneOfEachType()
    {
        using var stream = new MemoryStream();
        List<SafetensorsTensor> tensors = [new("scalar", SafetensorsType.F32), new("empty", SafetensorsType.F32, 2, 0)];
        foreach (SafetensorsType type in Enum.GetValues<SafetensorsType>())
        {
            tensors.Add(type <= SafetensorsType.BF16 ? new(type.ToString(), type, 2, 3) : new(type.ToString(), type, 3, 1));
        }

        var writer = new SafetensorsWriter(stream, tensors, new Dictionary<string, string> { ["note"] = "naïve \"text\"", ["b"] = "" });
        foreach (SafetensorsTensor tensor in writer.Tensors)
        {
            if (tensor.Type > SafetensorsType.BF16)
            {
                writer.WriteBytes(tensor.Name, Integers(tensor.Type));
            }
            else
            {
                writer.WriteFloat32(tensor.Name, tensor.Count == 6 ? Values : tensor.Count == 1 ? [7f] : []);
            }
        }

        writer.Complete();
        return stream.ToArray();
    }

    private static byte[] Integers(SafetensorsType type)
    {
        if (type == SafetensorsType.BOOL)
        {
            return [1, 0, 1];
        }

        // 1, -2 (254 unsigned) and the smallest value, as two's complement.
        int size = type.Size();
        var bytes = new byte[3 * size];
        bytes[0] = 1;
        bytes.AsSpan(size, size).Fill(0xff);
        bytes[size] = 0xfe;
        bytes[^1] = 0x80;
        return bytes;
    }
}
