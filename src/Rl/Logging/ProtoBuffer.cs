using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace CoGrpo.Rl.Logging;

/// <summary>Encodes the few Protocol Buffers field kinds that TensorBoard events need. Fields appear in the order of the calls.</summary>
internal sealed class ProtoBuffer
{
    private readonly ArrayBufferWriter<byte> _buffer = new();

    public ReadOnlySpan<byte> Written => _buffer.WrittenSpan;

    public ProtoBuffer Varint(int field, long value)
    {
        Raw((ulong)field << 3);
        Raw((ulong)value);
        return this;
    }

    public ProtoBuffer Double(int field, double value)
    {
        Raw(((ulong)field << 3) | 1);
        BinaryPrimitives.WriteDoubleLittleEndian(_buffer.GetSpan(8), value);
        _buffer.Advance(8);
        return this;
    }

    public ProtoBuffer Float(int field, float value)
    {
        Raw(((ulong)field << 3) | 5);
        BinaryPrimitives.WriteSingleLittleEndian(_buffer.GetSpan(4), value);
        _buffer.Advance(4);
        return this;
    }

    public ProtoBuffer Bytes(int field, ReadOnlySpan<byte> value)
    {
        Raw(((ulong)field << 3) | 2);
        Raw((ulong)value.Length);
        _buffer.Write(value);
        return this;
    }

    public ProtoBuffer Text(int field, string value) => Bytes(field, Encoding.UTF8.GetBytes(value));

    public ProtoBuffer Message(int field, ProtoBuffer value) => Bytes(field, value.Written);

    private void Raw(ulong value)
    {
        Span<byte> span = _buffer.GetSpan(10);
        int count = 0;
        while (value >= 0x80)
        {
            span[count++] = (byte)(value | 0x80);
            value >>= 7;
        }

        span[count++] = (byte)value;
        _buffer.Advance(count);
    }
}
