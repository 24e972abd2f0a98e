using System.Buffers.Binary;
using System.Runtime.InteropServices;
using CoGrpo.Runtime.Files;
using CoGrpo.Runtime.Files.Torch;
using CoGrpo.Tests.Fixtures;

namespace CoGrpo.Tests.Runtime.Files.Torch;

public sealed class TorchArchiveTests
{
    private static readonly float[] Six = [0f, 1f, 2f, 3f, 4f, 5f];

    public static TheoryData<bool, bool> Layouts => new() { { true, true }, { true, false }, { false, true }, { false, false } };

    [Theory]
    [MemberData(nameof(Layouts))]
    public void Tensors_of_a_state_dictionary_read_in_every_layout_of_the_archive(bool deferred, bool zip64)
    {
        byte[] pickle = PickleWriter.Start.Dictionary(w => w.Text("a.weight").Tensor("0", 6, 0, [2, 3], [3, 1])
            .Text("a.bias").Tensor("0", 6, 4, [2], [1]).Text("step").Number(7)).Stop();
        using TorchArchive archive = Open(Zip(pickle, Bytes(Six), deferred, zip64).Finish());
        Assert.Equal(["a.weight F32[2,3]", "a.bias F32[2]"], archive.Tensors.Select(t => t.ToString()));
        Assert.Equal(["a.weight", "a.bias", "step"], archive.Keys);
        Assert.Equal(Six, Floats(archive, archive["a.weight"]));
        Assert.Equal([4f, 5f], Floats(archive, archive["a.bias"]));
        var middle = new byte[8];
        archive.ReadBytes(archive["a.weight"], 4, middle);
        Assert.Equal(Bytes(Six)[4..12], middle);
        archive.Verify();
    }

    /// <summary>The pickle and the zip file were written by CPython's own pickle and zipfile modules; see the folder's README.</summary>
    [Theory]
    [InlineData("protocol-2.pt")]
    [InlineData("protocol-5.pt")]
    public void Archives_of_pythons_pickle_read(string name)
    {
        using TorchArchive archive = TorchArchive.Open(FixtureFolder.At("torch-archive", name));
        Assert.Equal(["epoch", "state_dict", "optimizer"], archive.Keys);
        IReadOnlyList<TorchTensor> tensors = archive.TensorsIn("state_dict");
        string[] expected =
        [
            "conv.weight F32[2,3]", "conv.bias F16[3]", "norm.weight BF16[2]", "norm.steps I64[]", "transposed F32[3,2]", "parameter F32[2,3]",
            "empty F32[0,4]",
        ];
        Assert.Equal(expected, tensors.Select(t => t.ToString()));
        Assert.Equal(Six, Floats(archive, tensors[0]));
        Assert.Equal([0f, 3f, 1f, 4f, 2f, 5f], Floats(archive, tensors[4]));
        Assert.Equal([false, true], new[] { tensors[4].IsContiguous, tensors[5].IsContiguous });
        Assert.Equal(-123456789012L, BinaryPrimitives.ReadInt64LittleEndian(Read(archive, tensors[3])));
        Assert.Equal([(Half)0.5f, (Half)(-2f), (Half)65504f], MemoryMarshal.Cast<byte, Half>(Read(archive, tensors[1])).ToArray());
        Assert.Equal(["state_dict.conv.weight", "optimizer.state.0.exp_avg", "optimizer.history.1"],
            archive.Tensors.Select(t => t.Name).Where(n => n.StartsWith('o') || n.EndsWith("conv.weight", StringComparison.Ordinal)));
        archive.Verify();
    }

    [Theory]
    [InlineData("F64", "DoubleStorage", 8)]
    [InlineData("F32", "FloatStorage", 4)]
    [InlineData("F16", "HalfStorage", 2)]
    [InlineData("BF16", "BFloat16Storage", 2)]
    [InlineData("I64", "LongStorage", 8)]
    [InlineData("I32", "IntStorage", 4)]
    [InlineData("I16", "ShortStorage", 2)]
    [InlineData("I8", "CharStorage", 1)]
    [InlineData("U8", "ByteStorage", 1)]
    [InlineData("BOOL", "BoolStorage", 1)]
    public void Element_types_read_in_order_and_permuted(string type, string storage, int size)
    {
        byte[] data = [.. Enumerable.Range(0, 24 * size).Select(i => (byte)i)];
        byte[] pickle = PickleWriter.Start.Dictionary(w => w.Text("x").Tensor("0", 24, 0, [2, 3, 4], [12, 4, 1], storage)
            .Text("y").Tensor("0", 24, 1, [4, 3, 2], [1, 4, 11], storage)).Stop();
        using TorchArchive archive = Open(Zip(pickle, data).Finish());
        Assert.Equal((type, 24 * size), (archive["x"].Type.ToString(), archive["x"].ByteCount));
        Assert.Equal(data, Read(archive, archive["x"]));
        byte[] expected = [.. from i in Enumerable.Range(0, 4) from j in Enumerable.Range(0, 3) from k in Enumerable.Range(0, 2) 
            from b in Enumerable.Range(0, size) select data[(size * (1 + i + (4 * j) + (11 * k))) + b]];
        Assert.Equal(expected, Read(archive, archive["y"]));
        var part = new byte[3 * size];
        archive.ReadBytes(archive["y"], 5 * size, part);
        Assert.Equal(expected[(5 * size)..(8 * size)], part);
    }

    [Fact]
    public void Members_beyond_four_gigabytes_read()
    {
        const long Count = (1L << 32) + 64;
        byte[] pickle = PickleWriter.Start.Dictionary(w => w.Text("x").Tensor("0", Count, Count - 2, [2], [1], "ByteStorage")).Stop();
        using TorchArchive archive = TorchArchive.Open(new LargeZip(pickle, Count), "memory");
        Assert.Equal([0, LargeZip.Last], Read(archive, archive["x"]));
    }

    [Fact]
    public void Sub_dictionaries_are_asked_for_by_key()
    {
        byte[] pickle = PickleWriter.Start.Dictionary(w => w.Text("model").Dictionary(m => m.Text("x").Tensor("0", 6, 0, [6], [1]))
            .Text("step").Number(3)).Stop();
        using TorchArchive archive = Open(Zip(pickle, Bytes(Six)).Finish());
        Assert.Equal("x", archive.TensorsIn("model").Single().Name);
        Assert.Equal("model.x", archive.Tensors.Single().Name);
        Assert.Contains(
            "'model', 'step'",
            Assert.Throws<TorchArchiveException>(() => archive.TensorsIn("state_dict")).Message,
            StringComparison.Ordinal
        );
        Assert.Throws<TorchArchiveException>(() => archive.TensorsIn("step"));
        Assert.Contains("'y'", Assert.Throws<TorchArchiveException>(() => archive["y"]).Message, StringComparison.Ordinal);
        Assert.Throws<TorchArchiveException>(() => archive.ReadBytes(archive["model.x"], 20, new byte[8]));
        Assert.Throws<TorchArchiveException>(() => archive.ReadBytes(archive["model.x"], -1, new byte[1]));
    }

    [Fact]
    public void Damaged_data_are_found_by_their_checksum()
    {
        ZipWriter zip = Simple();
        byte[] file = zip.Finish();
        file[file.AsSpan().IndexOf(Bytes(Six)) + 5] ^= 1;
        using TorchArchive archive = Open(file);
        Assert.Contains("'m/data/0'", Assert.Throws<TorchArchiveException>(archive.Verify).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void File_that_shrinks_after_opening_gives_an_archive_error()
    {
        var stream = new MemoryStream();
        stream.Write(Simple().Finish());
        using TorchArchive archive = TorchArchive.Open(stream, "memory");
        stream.SetLength(100);
        Assert.Throws<TorchArchiveException>(() => Read(archive, archive["x"]));
    }

    [Fact]
    public void Missing_file_directory_or_name_is_refused()
    {
        Assert.Throws<TorchArchiveException>(() => TorchArchive.Open(Path.Combine(Path.GetTempPath(), Guid.NewGuid().ToString())));
        Assert.Throws<TorchArchiveException>(() => TorchArchive.Open(Path.GetTempPath()));
        Assert.Throws<TorchArchiveException>(() => TorchArchive.Open(""));
    }

    [Fact]
    public void Names_from_the_file_reach_messages_shortened_and_without_control_characters()
    {
        byte[] pickle = PickleWriter.Start.Dictionary(w => w.Text("\u001b[31m" + new string('x', 5000)).Tensor("0", 6, 0, [6], [1])).Stop();
        string message = Assert.Throws<TorchArchiveException>(() => Open(Zip(pickle, Bytes(Six)).Finish())).Message;
        Assert.True(message.Length < 500, message);
        Assert.DoesNotContain('\u001b', message);
    }

    [Fact]
    public void Mutations_give_an_archive_error_or_a_readable_file_and_nothing_else()
    {
        byte[] valid = File.ReadAllBytes(FixtureFolder.At("torch-archive", "protocol-2.pt"));
        var random = new Random(20240612);
        int refused = 0;
        const int Rounds = 30_000;
        for (int round = 0; round < Rounds; round++)
        {
            byte[] file = Mutate(valid, random);
            try
            {
                using TorchArchive archive = Open(file);
                foreach (TorchTensor tensor in archive.Tensors)
                {
                    Assert.Equal(tensor.ByteCount, Read(archive, tensor).Length);
                }
            }
            catch (TorchArchiveException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, Rounds / 3, Rounds - 1);
    }

    internal static TorchArchive Open(byte[] file) => TorchArchive.Open(new MemoryStream(file), "memory");

    internal static ZipWriter Zip(byte[] pickle, byte[] data, bool deferred = true, bool zip64 = true) => new ZipWriter(deferred, zip64)
        .Add("m/data.pkl", pickle).Add("m/byteorder", "little").Add("m/data/0", data).Add("m/version", "3\n");

    internal static ZipWriter Simple() => Zip(PickleWriter.Start.Dictionary(w => w.Text("x").Tensor("0", 6, 0, [6], [1])).Stop(), Bytes(Six));

    internal static byte[] Bytes(float[] values) => MemoryMarshal.AsBytes(values.AsSpan()).ToArray();

    private static byte[] Read(TorchArchive archive, TorchTensor tensor)
    {
        var bytes = new byte[tensor.ByteCount];
        archive.ReadBytes(tensor, 0, bytes);
        return bytes;
    }

    private static float[] Floats(TorchArchive archive, TorchTensor tensor) => MemoryMarshal.Cast<byte, float>(Read(archive, tensor)).ToArray();

    /// <summary>Edits anywhere, or edits of the pickle with its checksum made right again, which reach the machine behind.</summary>
    private static byte[] Mutate(byte[] valid, Random random)
    {
        byte[] file = [.. valid];
        ReadOnlySpan<byte> marker = "data.pkl"u8;
        int local = file.AsSpan().IndexOf(marker) - "archive/".Length - 30;
        int begin = local + 30 + BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(local + 26))
            + BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(local + 28));
        int entry = file.AsSpan().LastIndexOf(marker) - "archive/".Length - 46;
        int size = BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(entry + 24));
        bool inPickle = random.Next(3) > 0;
        for (int edits = random.Next(1, 4); edits > 0; edits--)
        {
            int at = inPickle ? begin + random.Next(size) : random.Next(file.Length);
            file[at] = random.Next(3) switch
            {
                0 => (byte)(file[at] ^ (1 << random.Next(8))),
                1 => (byte)random.Next(256),
                _ => file[begin + random.Next(size)],
            };
        }

        if (inPickle)
        {
            uint checksum = System.IO.Hashing.Crc32.HashToUInt32(file.AsSpan(begin, size));
            BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(entry + 16), checksum);
            BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(local + 14), checksum);
        }

        return file;
    }
}
