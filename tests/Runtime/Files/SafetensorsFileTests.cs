using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Text;
using CoGrpo.Runtime.Files;

namespace CoGrpo.Tests.Runtime.Files;

public sealed class SafetensorsFileTests
{
    private const string OneFloat = """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""";

    public static TheoryData<string, string, int, string> Refusals => new()
    {
        { "not an object", "[]", 0, "'{'" },
        { "leading space", " {}", 0, "'{'" },
        { "empty header", "", 0, "'{'" },
        { "invalid UTF-8", "{\"\u00ff\":1}", 0, "UTF-8" },
        { "cut JSON", """{"a":{"dtype":"F32",""", 0, "strict JSON" },
        { "trailing comma", """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},}""", 4, "strict JSON" },
        { "comment", """{/**/}""", 0, "strict JSON" },
        { "two objects", "{}{}", 0, "strict JSON" },
        { "lone surrogate", """{"\ud800":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4, "strict JSON" },
        { "nesting", """{"a":{"dtype":"F32","shape":[[1]],"data_offsets":[0,4]}}""", 4, "JSON" },
        { "duplicate tensor", OneFloat[..^1] + "," + OneFloat[1..], 4, "'a' twice" },
        { "duplicate key", """{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4, "each once" },
        { "duplicate metadata", """{"__metadata__":{},"__metadata__":{}}""", 0, "__metadata__ twice" },
        { "duplicate metadata key", """{"__metadata__":{"k":"1","k":"2"}}""", 0, "'k' twice" },
        { "metadata not an object", """{"__metadata__":"x"}""", 0, "an object" },
        { "metadata not strings", """{"__metadata__":{"k":1}}""", 0, "a string" },
        { "unknown key", """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}}""", 4, "'x'" },
        { "no shape", """{"a":{"dtype":"F32","data_offsets":[0,4]}}""", 4, "no shape" },
        { "no offsets", """{"a":{"dtype":"F32","shape":[1]}}""", 4, "no data_offsets" },
        { "no dtype", """{"a":{"shape":[1],"data_offsets":[0,4]}}""", 4, "no dtype" },
        { "tensor not an object", """{"a":7}""", 0, "an object" },
        { "unknown dtype", """{"a":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}}""", 1, "'F8_E4M3'" },
        { "dtype by number", """{"a":{"dtype":"1","shape":[1],"data_offsets":[0,4]}}""", 4, "'1'" },
        { "dtype in lower case", """{"a":{"dtype":"f32","shape":[1],"data_offsets":[0,4]}}""", 4, "'f32'" },
        { "dtype not a string", """{"a":{"dtype":1,"shape":[1],"data_offsets":[0,4]}}""", 4, "a string" },
        { "negative size", """{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}""", 4, "non-negative" },
        { "fractional size", """{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}""", 4, "non-negative" },
        { "overflowing product", """{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}}""", 4, "below 2^63" },
        { "overflowing bytes", """{"a":{"dtype":"F64","shape":[4611686018427387904],"data_offsets":[0,4]}}""", 4, "below 2^63" },
        { "size beyond 64 bits", """{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,4]}}""", 4, "non-negative" },
        { "shape not an array", """{"a":{"dtype":"F32","shape":1,"data_offsets":[0,4]}}""", 4, "an array" },
        { "offsets reversed", """{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}""", 4, "begin <= end" },
        { "one offset", """{"a":{"dtype":"F32","shape":[1],"data_offsets":[4]}}""", 4, "begin <= end" },
        { "offset out of range", """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 4, "<= 4" },
        { "size mismatch", """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}""", 4, "8 bytes" },
        { "trailing bytes", OneFloat, 5, "5 bytes" },
        { "gap", """{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, "gap" },
        {
            "overlap", """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8,
            "overlap"
        },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public void Malformed_header_is_refused_with_a_message_that_says_why(string what, string header, int dataBytes, string message)
    {
        // Latin-1 keeps every header but the deliberately broken one valid UTF-8.
        byte[] file = FileOf(Encoding.Latin1.GetBytes(header), dataBytes);
        var e = Assert.Throws<SafetensorsException>(() => Open(file));
        Assert.True(e.Message.Contains(message, StringComparison.Ordinal), $"{what}: {e.Message}");
        Assert.StartsWith("memory: ", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, 0ul)]
    [InlineData(7, 0ul)]
    [InlineData(16, 9ul)]
    [InlineData(16, 100_000_001ul)]
    [InlineData(16, ulong.MaxValue)]
    public void Header_length_beyond_the_file_or_the_format_is_refused(int fileBytes, ulong headerBytes)
    {
        var file = new byte[fileBytes];
        if (fileBytes >= 8)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(file, headerBytes);
        }

        Assert.Throws<SafetensorsException>(() => Open(file));
    }

    [Fact]
    public void Missing_file_directory_or_name_is_refused()
    {
        Assert.Throws<SafetensorsException>(() => SafetensorsFile.Open(Path.Combine(Path.GetTempPath(), Guid.NewGuid().ToString())));
        Assert.Throws<SafetensorsException>(() => SafetensorsFile.Open(Path.GetTempPath()));
        Assert.Throws<SafetensorsException>(() => SafetensorsFile.Open(""));
    }

    [Fact]
    public void Wrong_name_type_count_or_range_is_refused()
    {
        using SafetensorsFile file = Open(FileOf(Encoding.UTF8.GetBytes(OneFloat), 4));
        Assert.Contains("'b'", Assert.Throws<SafetensorsException>(() => file.ReadFloat32("b")).Message, StringComparison.Ordinal);
        Assert.Throws<SafetensorsException>(() => file.ReadInt64("a"));
        Assert.Throws<SafetensorsException>(() => file.ReadFloat32("a", new float[2]));
        Assert.Throws<SafetensorsException>(() => file.ReadBytes("a", 1, new byte[4]));
        Assert.Throws<SafetensorsException>(() => file.ReadBytes("a", -1, new byte[4]));
    }

    [Fact]
    public void Names_from_the_file_reach_messages_shortened_and_without_control_characters()
    {
        string name = "\\u001b[31m" + new string('x', 5000);
        byte[] file = FileOf(Encoding.UTF8.GetBytes($$$"""{"{{{name}}}":{"dtype":"F32"}}"""), 0);
        string message = Assert.Throws<SafetensorsException>(() => Open(file)).Message;
        Assert.True(message.Length < 400, message);
        Assert.DoesNotContain('\u001b', message);
    }

    [Fact]
    public void File_that_shrinks_after_opening_gives_a_safetensors_error()
    {
        var stream = new MemoryStream();
        stream.Write(FileOf(Encoding.UTF8.GetBytes(OneFloat), 4));
        using SafetensorsFile file = SafetensorsFile.Open(stream, "memory");
        stream.SetLength(stream.Length - 1);
        Assert.Throws<SafetensorsException>(() => file.ReadFloat32("a"));
    }

    [Fact]
    public void Mutations_give_a_safetensors_error_or_a_readable_file_and_nothing_else()
    {
        byte[] valid = SafetensorsWriterTests.OneOfEachType();
        var random = new Random(20240611);
        int refused = 0;
        for (int round = 0; round < 100_000; round++)
        {
            byte[] file = Mutate(valid, random);
            try
            {
                using SafetensorsFile opened = Open(file);
                ReadAll(opened);
            }
            catch (SafetensorsException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, 50_000, 99_999);
    }

    [Fact]
    public void Every_fixture_file_opens_and_reads()
    {
        string fixtures = Environment.GetEnvironmentVariable("COGRPO_FIXTURES") ?? Path.Combine(SourceDirectory(), "../../fixtures");
        IEnumerable<string> files = Directory.Exists(fixtures)
            ? Directory.EnumerateFiles(fixtures, "*.safetensors", SearchOption.AllDirectories)
            : [];
        foreach (string path in files)
        {
            using SafetensorsFile file = SafetensorsFile.Open(path);
            ReadAll(file);
        }
    }

    internal static SafetensorsFile Open(byte[] file) => SafetensorsFile.Open(new MemoryStream(file), "memory");

    private static string SourceDirectory([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;

    private static void ReadAll(SafetensorsFile file)
    {
        foreach (SafetensorsTensor tensor in file.Tensors.Values)
        {
            if (tensor.Type <= SafetensorsType.BF16)
            {
                Assert.Equal(tensor.Count, file.ReadFloat32(tensor.Name).Length);
            }
            else
            {
                Assert.Equal(tensor.Count, file.ReadInt64(tensor.Name).Length);
            }
        }
    }

    private static byte[] FileOf(byte[] header, int dataBytes)
    {
        var file = new byte[8 + header.Length + dataBytes];
        BinaryPrimitives.WriteInt64LittleEndian(file, header.Length);
        header.CopyTo(file, 8);
        return file;
    }

    private static byte[] Mutate(byte[] valid, Random random)
    {
        var file = new List<byte>(valid);
        for (int edits = random.Next(1, 4); edits > 0; edits--)
        {
            int at = random.Next(file.Count);
            switch (random.Next(6))
            {
                case 0:
                    file[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    file[at] = (byte)random.Next(256);
                    break;
                case 2:
                    file.Insert(at, (byte)"{}[],:\"-0199eE.\\u "[random.Next(18)]);
                    break;
                case 3:
                    file.RemoveAt(at);
                    break;
                case 4:
                    file.RemoveRange(at, Math.Min(random.Next(1, 40), file.Count - at - 1));
                    break;
                default:
                    file.InsertRange(at, file.GetRange(random.Next(file.Count), 1));
                    break;
            }

            if (random.Next(2) == 0)
            {
                // Keeps the length prefix right, so that edits reach the JSON and the layout checks.
                RepairLength(file, valid);
            }
        }

        return file.ToArray();
    }

    private static void RepairLength(List<byte> file, byte[] valid)
    {
        long header = BinaryPrimitives.ReadInt64LittleEndian(valid) + file.Count - valid.Length;
        for (int i = 0; i < 8 && i < file.Count; i++)
        {
            file[i] = (byte)(header >> (8 * i));
        }
    }
}
