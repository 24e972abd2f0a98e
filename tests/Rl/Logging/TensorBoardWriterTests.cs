using System.Buffers.Binary;
using System.Text;
using CoGrpo.Rl.Logging;

namespace CoGrpo.Tests.Rl.Logging;

public sealed class TensorBoardWriterTests
{
    [Theory]
    [InlineData("", 0u)]
    [InlineData("123456789", 0xe3069283u)]
    [InlineData("The quick brown fox jumps over the lazy dog", 0x22620404u)]
    public void Crc32C_known_answers(string text, uint expected) => Assert.Equal(expected, Crc32C.Compute(Encoding.ASCII.GetBytes(text)));

    [Fact]
    public void Crc32C_of_zeros_and_its_mask()
    {
        Assert.Equal(0x8a9136aau, Crc32C.Compute(new byte[32]));
        uint crc = Crc32C.Compute("foo"u8);
        Assert.Equal(unchecked(((crc >> 15) | (crc << 17)) + 0xa282ead8u), Crc32C.Masked("foo"u8));
    }

    [Fact]
    public void Events_read_back_with_valid_checksums()
    {
        using var folder = new TemporaryFolder();
        var clock = new FixedClock();
        byte[] png = [1, 2, 3];
        string path;
        using (var writer = new TensorBoardWriter(folder.File("logs"), clock: clock))
        {
            writer.Scalar("reward/mean", 7, 0.25);
            writer.Image("samples", 300, 64, 32, png);
            path = writer.Path;
        }

        List<Dictionary<int, object>> events = Read(path);
        Assert.Equal(3, events.Count);
        Assert.Equal("brain.Event:2", Text(events[0][3]));
        Assert.All(events, e => Assert.Equal(1_700_000_000.5, e[1]));
        Assert.Equal(7UL, events[1][2]);
        Dictionary<int, object> scalar = Message(Message(events[1][5])[1]);
        Assert.Equal("reward/mean", Text(scalar[1]));
        Assert.Equal(0.25f, scalar[2]);
        Assert.Equal(300UL, events[2][2]);
        Dictionary<int, object> image = Message(Message(Message(events[2][5])[1])[4]);
        Assert.Equal([32UL, 64UL, 3UL], new[] { image[1], image[2], image[3] });
        Assert.Equal(png, image[4]);
    }

    [Fact]
    public void Resumed_run_adds_a_later_file_that_marks_the_session_start()
    {
        using var folder = new TemporaryFolder();
        var clock = new FixedClock();
        using var first = new TensorBoardWriter(folder.Path, clock: clock);
        using var second = new TensorBoardWriter(folder.Path, resumedStep: 5, clock);
        Assert.True(string.CompareOrdinal(first.Path, second.Path) < 0);
        second.Flush();
        List<Dictionary<int, object>> events = Read(second.Path);
        Assert.Equal(5UL, events[1][2]);
        Assert.Equal(1UL, Message(events[1][7])[1]);
    }

    /// <summary>Reads records by the published framing and fields by the protobuf wire format, independent of the writer.</summary>
    private static List<Dictionary<int, object>> Read(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new BinaryReader(stream);
        var events = new List<Dictionary<int, object>>();
        while (stream.Position < stream.Length)
        {
            byte[] length = reader.ReadBytes(8);
            Assert.Equal(MaskedBitwise(length), reader.ReadUInt32());
            byte[] data = reader.ReadBytes((int)BinaryPrimitives.ReadInt64LittleEndian(length));
            Assert.Equal(MaskedBitwise(data), reader.ReadUInt32());
            events.Add(Message(data));
        }

        return events;
    }

    private static uint MaskedBitwise(byte[] data)
    {
        uint crc = uint.MaxValue;
        foreach (byte value in data)
        {
            crc ^= value;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82f63b78 : crc >> 1;
            }
        }

        crc = ~crc;
        return unchecked(((crc >> 15) | (crc << 17)) + 0xa282ead8u);
    }

    private static Dictionary<int, object> Message(object bytes)
    {
        var data = (byte[])bytes;
        var fields = new Dictionary<int, object>();
        for (int at = 0; at < data.Length;)
        {
            ulong key = Varint(data, ref at);
            object value;
            switch (key & 7)
            {
                case 0:
                    value = Varint(data, ref at);
                    break;
                case 1:
                    value = BinaryPrimitives.ReadDoubleLittleEndian(data.AsSpan(at));
                    at += 8;
                    break;
                case 2:
                    int length = (int)Varint(data, ref at);
                    value = data[at..(at + length)];
                    at += length;
                    break;
                default:
                    Assert.Equal(5UL, key & 7);
                    value = BinaryPrimitives.ReadSingleLittleEndian(data.AsSpan(at));
                    at += 4;
                    break;
            }

            fields.Add((int)(key >> 3), value);
        }

        return fields;
    }

    private static ulong Varint(byte[] data, ref int at)
    {
        ulong value = 0;
        for (int shift = 0; ; shift += 7)
        {
            byte next = data[at++];
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }
    }

    private static string Text(object bytes) => Encoding.UTF8.GetString((byte[])bytes);

    private sealed class FixedClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_500);
    }
}
