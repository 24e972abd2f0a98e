using System.Text;

namespace CoGrpo.Tests.Rl.Prompts;

/// <summary>A value in Thrift's compact protocol with its type, written by the book.</summary>
internal readonly record struct ThriftValue(int Type, byte[] Bytes)
{
    public static ThriftValue I32(long value) => new(5, ZigZag(value));

    public static ThriftValue I64(long value) => new(6, ZigZag(value));

    public static ThriftValue Truth(bool value) => new(value ? 1 : 2, []);

    public static ThriftValue Text(string text) => new(8, [.. Bits((ulong)Encoding.UTF8.GetByteCount(text)), .. Encoding.UTF8.GetBytes(text)]);

    /// <summary>Up to 14 values of one type, at least one.</summary>
    public static ThriftValue List(params ThriftValue[] values) =>
        new(9, [(byte)((values.Length << 4) | values[0].Type), .. values.SelectMany(value => value.Bytes)]);

    /// <summary>Fields, of which each number is at most 15 more than the last one.</summary>
    public static ThriftValue Structure(params (int Number, ThriftValue Value)[] fields)
    {
        List<byte> bytes = [];
        int last = 0;
        foreach ((int number, ThriftValue value) in fields)
        {
            bytes.AddRange(number > last ? [(byte)(((number - last) << 4) | value.Type)] : [(byte)value.Type, .. ZigZag(number)]);
            bytes.AddRange(value.Bytes);
            last = number;
        }

        return new ThriftValue(12, [.. bytes, 0]);
    }

    /// <summary>Seven bits a byte, the lowest first.</summary>
    public static byte[] Bits(ulong value)
    {
        List<byte> bytes = [];
        for (; value > 127; value >>= 7)
        {
            bytes.Add((byte)(value | 128));
        }

        return [.. bytes, (byte)value];
    }

    private static byte[] ZigZag(long value) => Bits((ulong)((value << 1) ^ (value >> 63)));
}
