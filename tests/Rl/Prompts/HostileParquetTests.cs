using System.IO.Compression;
using CoGrpo.Model;
using CoGrpo.Rl.Prompts;

namespace CoGrpo.Tests.Rl.Prompts;

/// <summary>
/// Parquet files that say of themselves what is not so: the library that reads them makes room for whatever they say, and waits for what never comes.
/// </summary>
public sealed class HostileParquetTests : IDisposable
{
    private const long Huge = 2_000_000_000;

    private static readonly byte[] Content = [.. CraftedParquet.Levels(3), .. CraftedParquet.Texts("a fox", "two owls", "a lamp")];
    private static readonly byte[] SecondContent = [.. CraftedParquet.Run(3, 1), .. CraftedParquet.Texts("a fox", "two owls", "a lamp")];
    private static readonly byte[] Words = CraftedParquet.Dictionary(CraftedParquet.Texts("a fox", "two owls"), 2);
    private static readonly byte[] Places = [.. CraftedParquet.Levels(3), .. CraftedParquet.Places(3, 1)];
    private static readonly byte[] ZipContent = Zip(Content);
    private static readonly byte[] SnappyContent = Snappy(Content, Content.Length);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_is_so_is_read()
    {
        string[] prompts = ["a fox", "two owls", "a lamp"];
        Assert.Equal(prompts, Read(new() { Pages = [CraftedParquet.Data(Content, 3)] }));
        Assert.Equal(prompts, Read(new() { Pages = [CraftedParquet.SecondData(SecondContent, 3, 2)] }));
        Assert.Equal(prompts, Read(new() { Pages = [CraftedParquet.Data(ZipContent, 3, unpacked: Content.Length)], Codec = 2 }));
        Assert.Equal(prompts, Read(new() { Pages = [CraftedParquet.Data(SnappyContent, 3, unpacked: Content.Length)], Codec = 1 }));
        Assert.Equal(
            ["two owls", "two owls", "two owls"],
            Read(
                new()
                {
                    Pages = [Words, CraftedParquet.Data(Places, 3, encoding: 8)],
                    DictionaryOffset = 4,
                    DataOffset = 4 + Words.Length,
                }
            )
        );
        Assert.Equal(
            [.. prompts, .. prompts, .. prompts],
            Read(new() { Pages = [CraftedParquet.Data(Content, 3), CraftedParquet.Data(Content, 3), CraftedParquet.Data(Content, 3)], Rows = 9 })
        );

        // Pages of other columns behind those that are read may say anything.
        Assert.Equal(prompts, Read(new() { Pages = [CraftedParquet.Data(Content, 3), CraftedParquet.Data(Content, Huge, Huge, Huge)] }));
        Assert.Equal(
            ["a fox"],
            Read(
                new()
                {
                    Pages =
                    [
                        CraftedParquet.Data([.. CraftedParquet.Levels(1), .. CraftedParquet.Texts("a fox")], 1),
                        CraftedParquet.Data(CraftedParquet.Levels(1_000_000, 0), 1_000_000),
                    ],
                    Rows = 1_000_001,
                }
            )
        );
    }

    public static TheoryData<string, byte[]> Lies
    {
        get
        {
            var lies = new TheoryData<string, byte[]>();
            Add("pages that unpack to 2000000000 bytes in a file of", new() { Pages = [CraftedParquet.Data(Content, 3, unpacked: Huge)] });
            Add(
                "pages that unpack to 2000000000 bytes in a file of",
                new() { Pages = [CraftedParquet.Data(ZipContent, 3, unpacked: Huge)], Codec = 2 }
            );
            Add(
                "pages that unpack to 2000000000 bytes in a file of",
                new() { Pages = [CraftedParquet.SecondData(SecondContent, 3, 2, true, unpacked: Huge)], Codec = 2 }
            );
            Add(
                "pages that unpack to 300000000 bytes in a file of",
                new() { Pages = [CraftedParquet.Data(Content, 3, unpacked: 100_000_000)], Groups = 3 }
            );
            Add("pages that unpack to -5 bytes", new() { Pages = [CraftedParquet.Data(ZipContent, 3, unpacked: -5)], Codec = 2 });
            Add(
                "a page whose sizes contradict each other",
                new() { Pages = [CraftedParquet.Data(Snappy(Content, Huge), 3, unpacked: Content.Length)], Codec = 1 }
            );
            Add(
                "a page whose sizes contradict each other",
                new()
                {
                    Pages =
                    [
                        CraftedParquet.Data([0x28, 0xB5, 0x2F, 0xFD, 0xA0, .. BitConverter.GetBytes((int)Huge), .. new byte[20]], 3, unpacked: 100),
                    ],
                    Codec = 6,
                }
            );
            Add("a page whose sizes contradict each other", new() { Pages = [CraftedParquet.SecondData(SecondContent, 3, Huge)] });
            Add("a page whose sizes contradict each other", new() { Pages = [CraftedParquet.SecondData(SecondContent, 3, -2)] });
            Add("a page of 2000000000 bytes with", new() { Pages = [CraftedParquet.Data(Content, 3, packed: Huge)] });
            Add("a page of 2000000000 bytes with", new() { Pages = [CraftedParquet.SecondData(SecondContent, 3, 2, packed: Huge)] });
            Add("a page of -1 bytes with", new() { Pages = [CraftedParquet.Data(Content, 3, packed: -1)] });
            Add("a page of 2000000000 values where there is room for 3", new() { Pages = [CraftedParquet.Data(Content, Huge)] });
            Add(
                "a page of 2000000000 values where there is room for 3",
                new()
                {
                    Pages = [Words, CraftedParquet.Data([.. CraftedParquet.Levels(Huge), .. CraftedParquet.Places(Huge, 1)], Huge, encoding: 8)],
                    DictionaryOffset = 4,
                }
            );
            Add("a page of -3 values", new() { Pages = [CraftedParquet.Data(Content, -3)] });
            Add(
                "a page of 2000000000 values where there is room for 5",
                new()
                {
                    Pages = [CraftedParquet.Dictionary(CraftedParquet.Texts("a fox", "two owls"), Huge), CraftedParquet.Data(Places, 3, encoding: 8)],
                    DictionaryOffset = 4,
                }
            );
            Add("5 values in 3 rows", new() { Pages = [CraftedParquet.Data(Content, 3)], Values = 5 });
            Add("3 values in 5 rows", new() { Pages = [CraftedParquet.Data(Content, 3)], Rows = 5, Values = 3 });
            Add("-3 rows in a file of", new() { Pages = [CraftedParquet.Data(Content, 3)], Rows = -3 });
            Add("2000000000 rows in a file of", new() { Pages = [CraftedParquet.Data(Content, 3)], Rows = Huge });
            Add(
                "1200000 rows in a file of",
                new()
                {
                    Pages = [CraftedParquet.Data(CraftedParquet.Levels(300_000, 0), 300_000)],
                    Rows = 300_000,
                    Groups = 5,
                }
            );
            Add(
                "1600000000 characters in a file of",
                new()
                {
                    Pages =
                    [
                        CraftedParquet.Dictionary(CraftedParquet.Texts(new string('x', 16_000)), 1),
                        CraftedParquet.Data([.. CraftedParquet.Levels(100_000), .. CraftedParquet.Places(100_000, 0)], 100_000, encoding: 8),
                    ],
                    DictionaryOffset = 4,
                    Rows = 100_000,
                }
            );
            Add(
                "a page of another kind than data or dictionary",
                new() { Pages = [CraftedParquet.Page(1, [], null, null), CraftedParquet.Data(Content, 3)] }
            );
            Add("a page without the header of its kind", new() { Pages = [CraftedParquet.Page(0, Content, null, null)] });
            Add(
                "a page without the header of its kind",
                new()
                {
                    Pages =
                    [
                        CraftedParquet.Page(3, Content, null, null, (7, ThriftValue.Structure((1, ThriftValue.I32(3)), (2, ThriftValue.I32(0))))),
                    ],
                }
            );
            Add(
                "a page with a damaged header",
                new()
                {
                    Pages =
                    [
                        CraftedParquet.Page(
                            0,
                            Content,
                            null,
                            null,
                            (3, ThriftValue.I32(Huge)),
                            (5, ThriftValue.Structure((1, ThriftValue.I32(3)), (2, ThriftValue.I32(0))))
                        ),
                    ],
                }
            );
            Add("a damaged description", new() { Pages = [ThriftValue.Structure((1, ThriftValue.I32(0)), (2, ThriftValue.I64(10))).Bytes, Content] });
            Add("pages for 0 of 3 values", new() { Pages = [CraftedParquet.Data(Content, 3)], DataOffset = Huge });
            Add("pages for 0 of 3 values", new() { Pages = [CraftedParquet.Data(Content, 3)], DataOffset = -4 });
            Add("pages for 0 of 3 values", new() { Pages = [CraftedParquet.Data(Content, 3)], DataOffset = 0 });

            // A page of fewer levels than it says, and one behind it that nobody looked at.
            Add(
                "pages that hold less than they say",
                new()
                {
                    Pages =
                    [
                        CraftedParquet.SecondData([2, 1, .. CraftedParquet.Texts("a")], 3, 2),
                        CraftedParquet.SecondData(SecondContent, 3, 2, packed: Huge),
                    ],
                }
            );
            return lies;

            void Add(string message, CraftedParquet file) => lies.Add(message, file.ToBytes());
        }
    }

    [Theory]
    [MemberData(nameof(Lies))]
    public void Lies_are_one_line(string message, byte[] file)
    {
        string path = _folder.File("prompts.parquet");
        File.WriteAllBytes(path, file);
        string said = Assert.Throws<ModelException>(() => PromptFile.Read(path)).Message;
        Assert.StartsWith($"{path}: wanted a Parquet file, got an error: ", said, StringComparison.Ordinal);
        Assert.Contains(message, said, StringComparison.Ordinal);
        Assert.EndsWith("; fetch it again, or give its prompts as text", said, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', said);
    }

    private IReadOnlyList<string> Read(CraftedParquet file)
    {
        string path = _folder.File("prompts.parquet");
        File.WriteAllBytes(path, file.ToBytes());
        return PromptFile.Read(path);
    }

    private static byte[] Zip(byte[] content)
    {
        using var packed = new MemoryStream();
        using (var zip = new GZipStream(packed, CompressionLevel.Optimal))
        {
            zip.Write(content);
        }

        return packed.ToArray();
    }

    /// <summary>Up to 60 bytes as they are, in Snappy's format.</summary>
    private static byte[] Snappy(byte[] content, long claimed) =>
        [.. ThriftValue.Bits((ulong)claimed), (byte)((content.Length - 1) << 2), .. content];
}
