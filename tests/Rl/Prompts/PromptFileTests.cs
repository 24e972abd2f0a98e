using System.Text;
using CoGrpo.Model;
using CoGrpo.Rl.Prompts;
using Parquet;
using Parquet.Schema;

namespace CoGrpo.Tests.Rl.Prompts;

/// <summary>Files of prompts in the published forms, and files that are something else.</summary>
public sealed class PromptFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string, string> Texts => new()
    {
        { "lines.txt", "a fox\n\n  two owls \r\n四つの時計\na fox" },
        { "lines.prompts", "\ufeffa fox\n\t\ntwo owls\n四つの時計\na fox\n" },
        { "texts.json", """["a fox", "", " two owls ", "\u56db\u3064\u306e\u6642\u8a08", "a fox"]""" },
        { "objects.json", """[{"prompt": "a fox", "image_path": ["a.png", "b.png"], "raw_annotations": [[1, 2]]}, {"id": 5, "text": "two owls"}, {"prompt": "四つの時計", "text": "no"}, {"prompt": 5, "text": "a fox"}]""" },
        { "objects.JSON", """[{"prompt": "a fox"},{"prompt": "two owls"},{"prompt": "四つの時計"},{"prompt": "a fox"}]""" },
        { "lines.jsonl", "{\"tag\": \"single_object\", \"include\": [{\"class\": \"fox\", \"count\": 1}], \"prompt\": \"a fox\"}\n\n{\"prompt\": \"two owls\"}\n\"四つの時計\"\n{\"text\": \"a fox\"}\n" },
        { "lines.ndjson", "\"a fox\"\n\"two owls\"\n\"四つの時計\"\n\"a fox\"" },
    };

    [Theory]
    [MemberData(nameof(Texts))]
    public void Every_form_gives_its_prompts_in_order(string name, string content) =>
        Assert.Equal(["a fox", "two owls", "四つの時計", "a fox"], PromptFile.Read(Written(name, content)));

    [Fact]
    public async Task Parquet_columns_are_read_over_row_groups_and_nulls()
    {
        string path = _folder.File("metadata-train.parquet");
        await WriteParquet(path, new DataField<int>("rank"), new DataField<string>("prompt"));
        Assert.Equal(["a fox", "two owls", "四つの時計", "a fox", "two owls", "四つの時計"], PromptFile.Read(path));
        await WriteParquet(path, new DataField<int>("prompt"), new DataField<string>("caption"));
        Refused(path, "wanted a Parquet file with a column prompt of text, got prompt, caption");
    }

    public static TheoryData<string, string, string> Wrong => new()
    {
        { "empty.txt", "", "wanted prompts, found none" },
        { "blank.txt", " \n\t\n", "wanted prompts, found none" },
        { "empty.json", "[]", "wanted prompts, found none" },
        { "object.json", """{"prompts": ["a"]}""", "in entry 1, got something else" },
        { "number.json", """["a", 5]""", "in entry 2, got something else" },
        { "null.json", """["a", null]""", "in entry 2, got something else" },
        { "keys.json", """[{"prompt": "a"}, {"caption": "b"}]""", "in entry 2, got something else" },
        { "cut.json", """["a", "b""", "got something else" },
        { "surrogate.json", """["a", "\ud800"]""", "in entry 2, got something else" },
        { "text.json", "a fox", "in entry 1, got something else" },
        { "nested.json", "[" + new string('[', 1000), "in entry 1, got something else" },
        { "line.jsonl", "{\"prompt\": \"a\"}\n{\"prompt\": ", "in line 2, got something else" },
        { "list.jsonl", "[\"a\"]", "in line 1, got something else" },
        { "long.txt", "a\n" + new string('b', PromptFile.Longest + 1), "wanted prompts of at most 16384 characters, got 16385 in prompt 2" },
        { "text.parquet", "a fox", "wanted a Parquet file, got an error" },
        { "empty.parquet", "", "wanted a Parquet file, got an error" },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void Something_else_is_one_line(string name, string content, string message) => Refused(Written(name, content), message);

    [Fact]
    public void Bytes_that_are_no_text_and_places_that_are_no_file_are_one_line()
    {
        string path = _folder.File("latin.txt");
        File.WriteAllBytes(path, [.. "a fox\n"u8, 0xE9, 0x74, 0xE9, (byte)'\n']);
        Refused(path, "wanted UTF-8 text, got other bytes");
        path = _folder.File("latin.json");
        File.WriteAllBytes(path, [.. "[\"a\", \""u8, 0xE9, .. "\"]"u8]);
        Refused(path, "got something else");
        path = _folder.File("latin.jsonl");
        File.WriteAllBytes(path, [.. "\"a\"\n\""u8, 0xE9, .. "\"\n"u8]);
        Refused(path, "wanted UTF-8 text, got other bytes");
        Refused(_folder.File("nowhere.txt"), "wanted a file of prompts, it does not exist");
        Refused(_folder.Path, "wanted a file of prompts, it does not exist");
    }

    /// <summary>
    /// A published file with any of its bytes changed, or cut anywhere, gives prompts or one line: nothing else, and no great memory.
    /// </summary>
    [Fact]
    public async Task Damaged_Parquet_files_are_one_line()
    {
        string path = _folder.File("whole.parquet"), damaged = _folder.File("damaged.parquet");
        await WriteParquet(path, new DataField<string>("prompt"));
        byte[] whole = await File.ReadAllBytesAsync(path);
        var random = new Random(3);
        int refused = 0;
        foreach (byte stop in (byte[])[0x04, 0x10, 0x1C])
        {
            // Where the description of the columns ends: the library would read on for ever.
            byte[] bytes = [.. whole];
            bytes[^9] = stop;
            await File.WriteAllBytesAsync(damaged, bytes);
            Refused(damaged, "got an error: a damaged description of its columns");
        }

        for (int i = 0; i < 200; i++)
        {
            byte[] bytes = [.. whole];
            if (i % 4 == 0)
            {
                bytes = bytes[..random.Next(bytes.Length)];
            }
            else
            {
                bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
                bytes[^(9 + random.Next(bytes.Length / 2))] = (byte)random.Next(256);
            }

            await File.WriteAllBytesAsync(damaged, bytes);
            try
            {
                PromptFile.Read(damaged);
            }
            catch (ModelException error)
            {
                refused++;
                Assert.StartsWith($"{damaged}: ", error.Message, StringComparison.Ordinal);
            }
        }

        Assert.True(refused > 50, $"{refused} refused");
    }

    private static async Task WriteParquet(string path, params DataField[] fields)
    {
        await using FileStream stream = File.Create(path);
        await using ParquetWriter writer = await ParquetWriter.CreateAsync(new ParquetSchema(fields), stream);
        for (int group = 0; group < 2; group++)
        {
            using ParquetRowGroupWriter rows = writer.CreateRowGroup();
            foreach (DataField field in fields)
            {
                if (field is not DataField<int>)
                {
                    await rows.WriteAsync(field, (IReadOnlyCollection<string>)["a fox", null!, " two owls", "", "四つの時計"]);
                }
                else
                {
                    await rows.WriteAsync<int>(field, new[] { 1, 2, 3, 4, 5 });
                }
            }
        }
    }

    private string Written(string name, string content)
    {
        string path = _folder.File(name);
        File.WriteAllText(path, content, new UTF8Encoding(false));
        return path;
    }

    private static void Refused(string path, string message)
    {
        string said = Assert.Throws<ModelException>(() => PromptFile.Read(path)).Message;
        Assert.StartsWith($"{path}: ", said, StringComparison.Ordinal);
        Assert.Contains(message, said, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', said);
    }
}
