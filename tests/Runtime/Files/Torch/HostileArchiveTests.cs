using System.Buffers.Binary;
using System.Text;
using CoGrpo.Runtime.Files.Torch;

namespace CoGrpo.Tests.Runtime.Files.Torch;

/// <summary>Archives that must be refused with one line that names the file and says why.</summary>
public sealed class HostileArchiveTests
{
    private static readonly byte[] Data = TorchArchiveTests.Bytes([0f, 1f, 2f, 3f, 4f, 5f]);

    private static readonly Dictionary<string, (Func<byte[]> File, string Message)> Cases = new()
    {
        // The zip file.
        ["empty file"] = (() => [], "a zip file"),
        ["a few bytes"] = (() => [0x50, 0x4B, 3, 4], "at least 22 bytes"),
        ["pickle without archive"] = (
            () => [0x80, 2, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E],
            "before PyTorch 1.6"
        ),
        ["bare pickle of another protocol"] = (() => [0x80, 4, 0x95, 0, 0, 0, 0, 0, 0, 0, 0, 0x2E], "before PyTorch 1.6"),
        ["git lfs pointer"] = (() => Encoding.ASCII.GetBytes("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"), "git lfs pull"),
        ["web page"] = (() => Encoding.ASCII.GetBytes("\n<!DOCTYPE html><html></html>"), "a web page"),
        ["cut file"] = (() => TorchArchiveTests.Simple().Finish()[..^30], "end record"),
        ["bytes after the end"] = (() => [.. TorchArchiveTests.Simple().Finish(), 0], "end record"),
        ["comment"] = (() => [.. Spoil(z => z.End + 20, 2, 4), 1, 2, 3, 4], "end record"),
        ["bytes in front"] = (() => [0x50, 0x4B, 3, 4, .. TorchArchiveTests.Simple().Finish()], "zip64 locator"),
        ["several disks"] = (() => Spoil(z => z.End + 4, 2, 1), "one disk"),
        ["end records disagree"] = (() => Spoil(z => z.End + 12, 4, 99), "both end records"),
        ["locator elsewhere"] = (() => Spoil(z => z.End - 20 + 8, 8, 0), "zip64 locator"),
        ["zip64 record of another length"] = (() => Spoil(z => z.End - 76 + 4, 8, 1000), "zip64 end record"),
        ["huge count of members"] = (() => SpoilCount(long.MaxValue), "members"),
        ["count beyond the directory"] = (() => SpoilCount(500), "members"),
        ["fewer members than listed"] = (() => SpoilCount(3), "3 entries and nothing else"),
        ["directory elsewhere"] = (() => Narrow((z, f) => Put(f, z.End + 16, 4, 10)), "ends at its end record"),
        ["directory entry without signature"] = (() => Spoil(z => z.Entries["m/version"], 4, 0), "an entry within the directory"),
        ["name longer than the directory"] = (() => Spoil(z => z.Entries["m/version"] + 28, 2, 60000), "an entry within the directory"),
        ["compressed member"] = (() => Spoil(z => z.Entries["m/data/0"] + 10, 2, 8), "torch.save does not compress"),
        ["zip bomb"] = (() => Spoil(z => z.Entries["m/data/0"] + 24, 4, 4_000_000_000), "for 4000000000"),
        ["encrypted member"] = (() => Spoil(z => z.Entries["m/data/0"] + 8, 2, 0x0801), "no encryption"),
        ["zip64 sizes without field"] = (() => Spoil(z => z.Entries["m/data/0"] + 24, 4, uint.MaxValue), "a zip64 field"),
        ["member with a comment"] = (() => Spoil(z => z.Entries["m/data/0"] + 32, 2, 5), "no comment"),
        ["member behind the directory"] = (() => Spoil(z => z.Entries["m/data/0"] + 42, 4, 3_000_000_000), "in front of the directory"),
        ["size beyond the directory"] = (() => SpoilSize(100_000), "in front of the directory"),
        ["size that ends in the directory"] = (() => SpoilSize(800), "in front of the directory"),
        ["overlap of members"] = (() => SpoilSize(120), "an overlap with 'm/data/0'"),
        ["one header for two members"] = (
            () => Spoil(z => z.Entries["m/data/1"] + 42, 4, z => z.Headers["m/data/0"], Two()),
            "the name of the directory"
        ),
        ["same name twice"] = (() => TorchArchiveTests.Simple().Add("m/version", "3").Finish(), "'m/version' twice"),
        ["header without signature"] = (() => Spoil(z => z.Headers["m/version"], 4, 0), "header with the flags"),
        ["header of another method"] = (() => Spoil(z => z.Headers["m/version"] + 8, 2, 8), "header with the flags"),
        ["header of another name"] = (() => Spoil(z => z.Headers["m/version"] + 30, 1, 'n'), "the name of the directory"),
        ["header of another size"] = (() => Spoil(z => z.Headers["m/version"] + 18, 4, 7), "as in the directory"),
        ["header whose padding leaves the file"] = (() => Spoil(z => z.Headers["m/version"] + 28, 2, 60000), "of the directory"),
        ["path upwards"] = (() => TorchArchiveTests.Simple().Add("m/../../etc/passwd", "x").Finish(), "without '..'"),
        ["absolute path"] = (() => TorchArchiveTests.Simple().Add("/etc/passwd", "x").Finish(), "a relative name"),
        ["backslash path"] = (() => TorchArchiveTests.Simple().Add("m\\x", "x").Finish(), "a relative name"),
        ["drive path"] = (() => TorchArchiveTests.Simple().Add("c:x", "x").Finish(), "a relative name"),
        ["control character in a name"] = (() => TorchArchiveTests.Simple().Add("m/\u001b[31m", "x").Finish(), "a relative name"),
        ["empty name"] = (() => TorchArchiveTests.Simple().Add("", "x").Finish(), "a relative name"),
        ["long name"] = (() => TorchArchiveTests.Simple().Add("m/" + new string('x', 600), "x").Finish(), "a relative name"),
        ["invalid UTF-8 in a name"] = (() => Spoil(z => z.Entries["m/version"] + 46, 1, 0xFF), "a relative name"),
        ["extra field beyond the entry"] = (() => Spoil(z => z.Entries["m/version"] + 28, 4, 5 | (4 << 16)), "extra fields"),

        // The archive.
        ["no pickle"] = (() => new ZipWriter().Add("m/version", "3").Finish(), "one folder with data.pkl"),
        ["two pickles"] = (() => TorchArchiveTests.Simple().Add("n/data.pkl", "x").Finish(), "one folder with data.pkl"),
        ["member outside the folder"] = (() => TorchArchiveTests.Simple().Add("n/x", "x").Finish(), "in folder 'm'"),
        ["TorchScript"] = (() => TorchArchiveTests.Simple().Add("m/constants.pkl", "x").Finish(), "torch.jit"),
        ["big-endian"] = (
            () => new ZipWriter().Add("m/data.pkl", Valid()).Add("m/byteorder", "big").Add("m/data/0", Data).Add("m/version", "3").Finish(),
            "little-endian"
        ),
        ["no version"] = (() => new ZipWriter().Add("m/data.pkl", Valid()).Add("m/data/0", Data).Finish(), "no such member"),
        ["version of the future"] = (
            () => new ZipWriter().Add("m/data.pkl", Valid()).Add("m/data/0", Data).Add("m/version", "999").Finish(),
            "format version"
        ),
        ["pickle with another checksum"] = (() => SpoilBoth("m/data.pkl", 16, 14, 123), "checksum"),
        ["large pickle"] = (() => Archive(new byte[(1 << 24) + 1]), "at most 16777216 bytes"),

        // The pickle.
        ["empty pickle"] = (() => Archive([]), "more bytes"),
        ["no protocol"] = (() => Archive(new PickleWriter().Raw("}").Stop()), "protocol 2 to 5"),
        ["protocol 0"] = (() => Archive(new PickleWriter().Raw(0x80, 0).Raw("}").Stop()), "protocol 2 to 5"),
        ["protocol 6"] = (() => Archive(new PickleWriter().Raw(0x80, 6).Raw("}").Stop()), "protocol 2 to 5"),
        ["no stop"] = (() => Archive(PickleWriter.Start.Raw("}").Stop()[..^1]), "more bytes"),
        ["bytes after stop"] = (() => Archive([.. PickleWriter.Start.Raw("}").Stop(), 0]), "one value at the end"),
        ["two values"] = (() => Archive(PickleWriter.Start.Raw("}}").Stop()), "one value at the end"),
        ["mark left over"] = (() => Archive(PickleWriter.Start.Raw("}(").Stop()), "one value at the end"),
        ["os.system"] = (() => Archive(PickleWriter.Start.Global("os", "system").Text("touch x").Raw(0x85).Raw("R").Stop()), "'os system'"),
        ["eval"] = (() => Archive(PickleWriter.Start.Global("builtins", "eval").Text("1").Raw(0x85).Raw("R").Stop()), "'builtins eval'"),
        ["os.system by stack"] = (() => Archive(PickleWriter.Start.Text("posix").Text("system").Raw(0x93).Stop()), "'posix system'"),
        ["getattr through a known module"] = (() => Archive(PickleWriter.Start.Global("torch", "load").Stop()), "'torch load'"),
        ["nested attribute"] = (() => Archive(PickleWriter.Start.Text("collections").Text("OrderedDict.__init__").Raw(0x93).Stop()),
            "'collections OrderedDict.__init__'"),
        ["whole module"] = (() => Archive(PickleWriter.Start.Global("trainer.models.cross_modeling", "Cross_model").Raw(")").Raw(0x81).Stop()),
            "a file with code"),
        ["new object"] = (() => Archive(PickleWriter.Start.Global("collections", "OrderedDict").Raw(")").Raw(0x81).Stop()), "0x81"),
        ["instance opcode"] = (() => Archive(PickleWriter.Start.Raw("(ios\nsystem\n").Stop()), "0x69"),
        ["object opcode"] = (() => Archive(PickleWriter.Start.Raw("(").Global("collections", "OrderedDict").Raw("o").Stop()), "0x6f"),
        ["extension opcode"] = (() => Archive(PickleWriter.Start.Raw(0x82, 1).Stop()), "0x82"),
        ["textual persistent id"] = (() => Archive(PickleWriter.Start.Raw("Px\n").Stop()), "0x50"),
        ["buffer out of band"] = (() => Archive(PickleWriter.Start.Raw(0x97).Stop()), "0x97"),
        ["attributes of a tensor"] = (() => Archive(PickleWriter.Start.Tensor("0", 6, 0, [6], [1]).Raw("}b").Stop()), "attributes of a dictionary"),
        ["attributes of a function"] = (() => Archive(PickleWriter.Start.Global("torch", "device").Raw("}b").Stop()), "attributes of a dictionary"),
        ["call of a text"] = (() => Archive(PickleWriter.Start.Text("x").Raw(")R").Stop()), "a known function"),
        ["call without tuple"] = (() => Archive(PickleWriter.Start.Global("collections", "OrderedDict").Raw("]R").Stop()), "arguments in a tuple"),
        ["dictionary of arguments"] = (() => Archive(PickleWriter.Start.Global("collections", "OrderedDict").Raw("]").Raw(0x85).Raw("R").Stop()),
            "arguments that fit"),
        ["storage class as a function"] = (() => Archive(PickleWriter.Start.Global("torch", "FloatStorage").Raw(")R").Stop()), "arguments that fit"),
        ["pop from nothing"] = (() => Archive(PickleWriter.Start.Raw(0x87).Stop()), "3 values on the stack"),
        ["pop through a mark"] = (() => Archive(PickleWriter.Start.Raw("NN(").Raw(0x86).Stop()), "2 values on the stack"),
        ["tuple without mark"] = (() => Archive(PickleWriter.Start.Raw("Nt").Stop()), "a mark"),
        ["append to a number"] = (() => Archive(PickleWriter.Start.Number(1).Number(2).Raw("a").Stop()), "a list to append"),
        ["entry of a list"] = (() => Archive(PickleWriter.Start.Raw("]").Text("x").Number(2).Raw("s").Stop()), "a dictionary"),
        ["key without value"] = (() => Archive(PickleWriter.Start.Raw("}(").Text("x").Raw("u").Stop()), "in pairs"),
        ["list as key"] = (() => Archive(PickleWriter.Start.Raw("}]Ns").Stop()), "as key"),
        ["number of 64 bits as key"] = (() => Archive(PickleWriter.Start.Raw("}").Number(1L << 40).Raw("Ns").Stop()), "32 bits as key"),
        ["key twice"] = (() => Archive(PickleWriter.Start.Dictionary(w => w.Text("x").Number(1).Text("x").Number(2)).Stop()), "'x' twice"),
        ["unknown memo"] = (() => Archive(PickleWriter.Start.Raw("h", 7).Stop()), "index 7"),
        ["memo of nothing"] = (() => Archive(PickleWriter.Start.Raw("q", 0).Stop()), "1 values on the stack"),
        ["text beyond the pickle"] = (() => Archive(PickleWriter.Start.Raw("X").Word(uint.MaxValue).Stop()), "a length of at most"),
        ["bytes beyond the pickle"] = (() => Archive(PickleWriter.Start.Raw("B").Word(20).Raw(new string('x', 15)).Stop()), "20 more bytes"),
        ["frame beyond the pickle"] = (() => Archive(PickleWriter.Start.Raw(0x95, 255, 255, 255, 255, 255, 255, 255, 255).Stop()), "a frame"),
        ["text of invalid UTF-8"] = (() => Archive(PickleWriter.Start.Raw("X").Word(1).Raw(0xFF).Stop()), "UTF-8"),
        ["global without lines"] = (() => Archive(PickleWriter.Start.Raw("c" + new string('x', 1000)).Stop()), "a line of at most"),
        ["too many opcodes"] = (() => Archive(PickleWriter.Start.Raw(new string('N', 3_000_000)).Stop()), "opcodes"),
        ["a list"] = (() => Archive(PickleWriter.Start.Raw("]").Stop()), "a dictionary of tensors"),
        ["a tensor alone"] = (() => Archive(PickleWriter.Start.Tensor("0", 6, 0, [6], [1]).Stop()), "a dictionary of tensors"),
        ["dictionary in itself"] = (() => Archive(PickleWriter.Start.Raw("}q", 0).Text("x").Raw("h", 0).Raw("s").Stop()), "32 deep"),
        ["billion laughs"] = (() => Archive(Laughs()), "at most 1048576 values"),
        ["deep nesting"] = (
            () => Archive(PickleWriter.Start.Raw(string.Concat(Enumerable.Repeat("}X\u0001\0\0\0x", 1000)) + "N" + new string('s', 1000)).Stop()),
            "32 deep"
        ),
        ["long name of a tensor"] = (
            () => Archive(PickleWriter.Start.Dictionary(w => w.Text(new string('x', 2000)).Number(1)).Stop()),
            "1024 characters"
        ),
        ["two ways to one name"] = (
            () =>
                Archive(
                    PickleWriter
                        .Start.Dictionary(w =>
                            w.Text("a.b").Tensor("0", 6, 0, [6], [1]).Text("a").Dictionary(v => v.Text("b").Tensor("0", 6, 0, [6], [1]))
                        )
                        .Stop()
                ),
            "'a.b' twice"
        ),

        // Tensors.
        ["persistent id of another form"] = (() => Archive(PickleWriter.Start.Text("x").Raw("Q").Stop()), "('storage', class, key, device, count)"),
        ["storage that is not in the archive"] = (() => Archive(PickleWriter.Start.Storage("9", 6).Stop()), "storage '9'"),
        ["storage key with a path"] = (() => Archive(PickleWriter.Start.Storage("../data.pkl", 6).Stop()), "storage '../data.pkl'"),
        ["storage of an unknown type"] = (
            () => Archive(PickleWriter.Start.Storage("0", 6, "ComplexFloatStorage").Stop()),
            "'torch ComplexFloatStorage'"
        ),
        ["storage larger than its member"] = (() => Archive(PickleWriter.Start.Storage("0", 7).Stop()), "24 bytes"),
        ["storage of a negative count"] = (() => Archive(PickleWriter.Start.Storage("0", -6).Stop()), "24 bytes"),
        ["storage of a count that overflows"] = (() => Archive(PickleWriter.Start.Storage("0", (1L << 62) + 6).Stop()), "24 bytes"),
        ["storage of two types"] = (() => Archive(PickleWriter.Start.Storage("0", 6).Storage("0", 6, "IntStorage").Stop()), "as before"),
        ["view beyond the storage"] = (() => View(0, [7], [1]), "within the 6 elements"),
        ["view from behind the storage"] = (() => View(5, [2], [1]), "within the 6 elements"),
        ["negative offset"] = (() => View(-1, [2], [1]), "within the 6 elements"),
        ["negative size"] = (() => View(0, [-2], [1]), "within the 6 elements"),
        ["two negative sizes"] = (() => View(0, [-2, -3], [3, 1]), "within the 6 elements"),
        ["negative stride"] = (() => View(5, [2], [-1]), "within the 6 elements"),
        ["strides beyond the storage"] = (() => View(0, [2, 2], [5, 1]), "within the 6 elements"),
        ["strides of another rank"] = (() => View(0, [2, 3], [1]), "within the 6 elements"),
        ["product that overflows"] = (() => View(0, [1L << 32, 1L << 32], [0, 0]), "within the 6 elements"),
        ["span that overflows"] = (() => View(0, [2, 2], [long.MaxValue, 1]), "within the 6 elements"),
        ["empty tensor of a product that overflows"] = (() => View(0, [1L << 40, 1L << 40, 0], [0, 0, 0]), "within the 6 elements"),
        ["expanded tensor"] = (() => View(0, [1_000_000_000_000], [0]), "no larger"),
        ["many dimensions"] = (() => View(0, [.. Enumerable.Repeat(1L, 100)], [.. Enumerable.Repeat(1L, 100)]), "up to 64 whole numbers"),
        ["sizes of 72 bits"] = (() => Archive(PickleWriter.Start.Global("torch._utils", "_rebuild_tensor_v2").Raw("(").Storage("0", 6).Number(0)
            .Raw("(").Raw(0x8A, 9, 0, 0, 0, 0, 0, 0, 0, 0, 1).Raw("t").Numbers(1).Raw(0x89).Raw("}tR").Stop()), "below 2^63"),
        ["tensor of a text"] = (() => Archive(PickleWriter.Start.Global("torch._utils", "_rebuild_tensor_v2").Text("x").Raw(0x85).Raw("R").Stop()),
            "arguments that fit"),
        ["parameter of a text"] = (() => Archive(PickleWriter.Start.Global("torch._utils", "_rebuild_parameter").Raw("(").Text("x").Raw(0x89)
            .Raw("}tR").Stop()), "arguments that fit"),
    };

    public static TheoryData<string> Names => [.. Cases.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Refused_with_one_line_that_names_the_file_and_says_why(string name)
    {
        (Func<byte[]> file, string message) = Cases[name];
        byte[] bytes = file();
        var e = Assert.Throws<TorchArchiveException>(() => TorchArchiveTests.Open(bytes));
        Assert.StartsWith("memory: ", e.Message, StringComparison.Ordinal);
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
        Assert.True(e.Message.Length < 600 && !e.Message.Any(char.IsControl), e.Message);
    }

    private static byte[] Valid() => PickleWriter.Start.Dictionary(w => w.Text("x").Tensor("0", 6, 0, [6], [1])).Stop();

    private static byte[] Archive(byte[] pickle) => TorchArchiveTests.Zip(pickle, Data).Finish();

    private static byte[] View(long offset, long[] sizes, long[] strides) =>
        Archive(PickleWriter.Start.Dictionary(w => w.Text("x").Tensor("0", 6, offset, sizes, strides)).Stop());

    private static ZipWriter Two() => TorchArchiveTests.Simple().Add("m/data/1", Data);

    /// <summary>Thirty dictionaries, each of which holds the one before it twice: 2^30 values to walk.</summary>
    private static byte[] Laughs()
    {
        PickleWriter w = PickleWriter.Start.Raw("}q", 0);
        for (byte i = 1; i < 31; i++)
        {
            byte before = (byte)(i - 1);
            w.Raw("}(").Text("a").Raw("h", before).Text("b").Raw("h", before).Raw("u").Raw("q", i);
        }

        return Wrap(w);
    }

    /// <summary>The last of the values on the stack stays: all of them go into one list of the outermost dictionary.</summary>
    private static byte[] Wrap(PickleWriter values)
    {
        byte[] body = values.Stop()[2..^1];
        return PickleWriter.Start.Raw("}").Text("x").Raw("(").Raw(body).Raw("ts").Stop();
    }

    private static byte[] Spoil(Func<ZipWriter, int> at, int bytes, long value) => Spoil(at, bytes, _ => value, TorchArchiveTests.Simple());

    private static byte[] Spoil(Func<ZipWriter, int> at, int bytes, Func<ZipWriter, long> value, ZipWriter zip)
    {
        byte[] file = zip.Finish();
        Put(file, at(zip), bytes, value(zip));
        return file;
    }

    private static byte[] Narrow(Action<ZipWriter, byte[]> spoil)
    {
        ZipWriter zip = TorchArchiveTests.Zip(Valid(), Data, zip64: false);
        byte[] file = zip.Finish();
        spoil(zip, file);
        return file;
    }

    private static byte[] SpoilCount(long count)
    {
        ZipWriter zip = TorchArchiveTests.Simple();
        byte[] file = zip.Finish();
        Put(file, zip.End - 76 + 24, 8, count);
        Put(file, zip.End - 76 + 32, 8, count);
        Put(file, zip.End + 8, 2, Math.Min(count, ushort.MaxValue));
        Put(file, zip.End + 10, 2, Math.Min(count, ushort.MaxValue));
        return file;
    }

    private static byte[] SpoilSize(long size)
    {
        ZipWriter zip = TorchArchiveTests.Simple();
        byte[] file = zip.Finish();
        Put(file, zip.Entries["m/data/0"] + 20, 4, size);
        Put(file, zip.Entries["m/data/0"] + 24, 4, size);
        return file;
    }

    private static byte[] SpoilBoth(string member, int entryAt, int headerAt, long value)
    {
        ZipWriter zip = TorchArchiveTests.Zip(Valid(), Data, deferred: false);
        byte[] file = zip.Finish();
        Put(file, zip.Entries[member] + entryAt, 4, value);
        Put(file, zip.Headers[member] + headerAt, 4, value);
        return file;
    }

    private static void Put(byte[] file, int at, int bytes, long value)
    {
        Span<byte> buffer = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(buffer, value);
        buffer[..bytes].CopyTo(file.AsSpan(at));
    }
}
