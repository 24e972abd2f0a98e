using System.Diagnostics;
using System.Text;
using System.Text.Json;
using CoGrpo.Model;
using CoGrpo.Model.Tokenizers;
using CoGrpo.Tests.Fixtures;

namespace CoGrpo.Tests.Model;

public sealed class ClipTokenizerTests
{
    private const string Area = "clip-tokenizer";

    [Fact]
    [Trait("Category", "fixtures")]
    public void Every_golden_text_has_its_ids()
    {
        ClipTokenizer tokenizer = ClipTokenizer.OpenClip;
        List<string> wrong = [];
        int rows = 0;
        foreach (string line in File.ReadLines(FixtureFolder.At(Area, "tokens.jsonl")).Where(l => l.Length > 0))
        {
            JsonElement row = JsonDocument.Parse(line).RootElement;
            string text = row.GetProperty("text").GetString()!;
            int[] golden = [.. row.GetProperty("ids").EnumerateArray().Select(x => x.GetInt32())];
            int[] ids = Ids(tokenizer, text);
            rows++;
            if (!golden.SequenceEqual(ids))
            {
                wrong.Add($"{row.GetProperty("category").GetString()} {JsonSerializer.Serialize(text)}: {string.Join(' ', ids)}");
            }

            if (row.TryGetProperty("clean", out JsonElement clean) && clean.GetString() != ClipText.OpenClip(text))
            {
                wrong.Add($"{row.GetProperty("category").GetString()} {JsonSerializer.Serialize(text)}: cleaned {JsonSerializer.Serialize(ClipText.OpenClip(text))}");
            }
        }

        Assert.True(rows >= 300 && wrong.Count == 0, $"{wrong.Count} of {rows}: {string.Join('\n', wrong)}");
    }

    [Fact]
    [Trait("Category", "fixtures")]
    public void The_models_own_tokenizer_agrees_wherever_no_repair_and_no_special_character_is_involved()
    {
        ClipTokenizer tokenizer = ClipTokenizer.Published;
        int rows = 0;
        foreach (string line in File.ReadLines(FixtureFolder.At(Area, "tokens.jsonl")).Where(l => l.Length > 0))
        {
            JsonElement row = JsonDocument.Parse(line).RootElement;
            string text = row.GetProperty("text").GetString()!;
            if (
                row.GetProperty("category").GetString()
                    is "ascii"
                        or "contraction"
                        or "digits"
                        or "latin"
                        or "greek_cyr"
                        or "prompt"
                        or "template"
                        or "math"
                && !text.Contains('!')
                && !text.Contains('&')
                && !row.TryGetProperty("ids_without_ftfy", out _)
            )
            {
                Assert.Equal(row.GetProperty("ids").EnumerateArray().Select(x => x.GetInt32()), Ids(tokenizer, text));
                rows++;
            }
        }

        Assert.True(rows > 100, $"{rows} rows");
    }

    [Theory]
    [InlineData("", new[] { 49406, 49407 })]
    [InlineData("Hello, World!", new[] { 49406, 3306, 267, 1002, 0, 49407 })]
    [InlineData("a cat!!", new[] { 49406, 320, 2368, 0, 0, 49407 })]
    [InlineData("a <|endoftext|> b", new[] { 49406, 320, 49407, 321, 49407 })]
    [InlineData("<|StartOfText|>", new[] { 49406, 49406, 49407 })]
    [InlineData("A  photo\tof\n\u200btwo clocks ", new[] { 49406, 320, 1125, 539, 1237, 25895, 49407 })]
    public void The_models_own_tokenizer_takes_special_tokens_verbatim_and_pads_with_the_exclamation_mark(string text, int[] golden)
    {
        ClipTokenizer tokenizer = ClipTokenizer.Published;
        int[] ids = new int[77];
        int count = tokenizer.Encode(text, ids);
        Assert.Equal(golden, ids[..count]);
        Assert.All(ids[count..], id => Assert.Equal(0, id));
        Assert.Equal(49407, ids[count - 1]);
    }

    [Fact]
    public void Ideographs_stand_alone_in_the_models_own_tokenizer_only()
    {
        Assert.Equal(Ids(ClipTokenizer.OpenClip, "你 好"), Ids(ClipTokenizer.Published, "你好"));
        Assert.NotEqual(Ids(ClipTokenizer.OpenClip, "日本"), Ids(ClipTokenizer.Published, "日本"));
    }

    [Fact]
    public void Vocabulary_and_padding_are_the_published_ones()
    {
        ClipTokenizer tokenizer = ClipTokenizer.Published;
        Assert.Equal((49408, 77, 0, 49407), (tokenizer.VocabularySize, tokenizer.Length, tokenizer.PadId, tokenizer.EosId));
        string[] symbols = [.. BytePairVocabulary.Published.Symbols];
        Assert.Equal(("!", "a</w>", "in", "jekyll</w>", "<|startoftext|>"), (symbols[0], symbols[320], symbols[512], symbols[49405], symbols[49406]));
    }

    [Fact]
    public void Long_texts_are_cut_and_keep_the_end()
    {
        int[] ids = new int[77];
        Assert.Equal(77, ClipTokenizer.Published.Encode(string.Join(' ', Enumerable.Repeat("cat", 200)), ids));
        Assert.Equal((49406, 2368, 49407), (ids[0], ids[75], ids[76]));
    }

    [Theory]
    [InlineData("a photo of two clocks", "a photo of two clocks")]
    [InlineData("It's 12 crème brûlées", "it 's 1 2 crème brûlées")]
    [InlineData("", "")]
    public void Ids_read_back_as_words(string text, string words)
    {
        int[] ids = new int[77];
        ClipTokenizer.Published.Encode(text, ids);
        Assert.Equal(words, ClipTokenizer.Published.Decode(ids));
        Assert.Throws<ArgumentException>(() => ClipTokenizer.Published.Decode([49408]));
        Assert.Throws<ArgumentException>(() => ClipTokenizer.Published.Encode(text, new int[76]));
    }

    [Fact]
    public void Hostile_texts_take_no_time_and_no_fault()
    {
        var clock = Stopwatch.StartNew();
        string[] texts =
        [
            new('a', 1_000_000),
            new('!', 1_000_000),
            new('\u0301', 200_000),
            string.Concat(Enumerable.Repeat("\ud800", 1000)),
            new('&', 1_000_000),
            string.Concat(Enumerable.Repeat("Ã\u0083Â\u00a9", 20_000)),
            string.Concat(Enumerable.Repeat("&amp;amp", 50_000)),
            "\u001b[" + new string('1', 100_000),
            string.Concat(Enumerable.Repeat("\u001b[", 100_000)),
            new('Σ', 100_000),
            "Σ" + new string('.', 100_000),
        ];
        List<string> times = [];
        foreach (string text in texts)
        {
            foreach (ClipTokenizer tokenizer in new[] { ClipTokenizer.Published, ClipTokenizer.OpenClip })
            {
                TimeSpan before = clock.Elapsed;
                int[] ids = Ids(tokenizer, text);
                Assert.Equal((49406, 49407), (ids[0], ids[^1]));
                times.Add($"{(clock.Elapsed - before).TotalSeconds:f2}");
            }
        }

        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(30), string.Join(' ', times));
    }

    [Fact]
    public void Folder_gives_vocabulary_padding_and_length()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("merges.txt"), "#version: 0.2\nc a\nca t</w>\n");
        File.WriteAllText(folder.File("special_tokens_map.json"), """{"pad_token":{"content":"<|endoftext|>"}}""");
        File.WriteAllText(folder.File("tokenizer_config.json"), """{"model_max_length":5}""");
        ClipTokenizer tokenizer = ClipTokenizer.Load(folder.Path);
        int[] ids = new int[5];
        Assert.Equal(3, tokenizer.Encode("CAT", ids));
        Assert.Equal(new[] { 514, 513, 515, 515, 515 }, ids);

        string[] symbols = [.. new BytePairVocabulary("here", ["c a", "ca t</w>"]).Symbols];
        File.WriteAllText(
            folder.File("vocab.json"),
            JsonSerializer.Serialize(symbols.Reverse().Select((s, i) => (s, i)).ToDictionary(p => p.s, p => p.i))
        );
        ClipTokenizer.Load(folder.Path).Encode("CAT", ids);
        Assert.Equal(new[] { 1, 2, 0, 0, 0 }, ids);
    }

    [Theory]
    [InlineData("merges.txt", "ca t</w>\n", "merge 1")]
    [InlineData("merges.txt", "c a\nc a\n", "merge 2")]
    [InlineData("merges.txt", "c\n", "merge 1")]
    [InlineData("merges.txt", "c</w> a\n", "merge 1")]
    [InlineData("vocab.json", "{", "vocab.json")]
    [InlineData("vocab.json", "{}", "'!'")]
    [InlineData("special_tokens_map.json", """{"pad_token":"nothing"}""", "'nothing'")]
    [InlineData("special_tokens_map.json", """{"pad_token":3}""", "special_tokens_map.json")]
    [InlineData("tokenizer_config.json", """{"model_max_length":1}""", "model_max_length")]
    public void Damaged_folder_is_refused(string file, string content, string message)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("merges.txt"), "c a\n");
        File.WriteAllText(folder.File(file), content, new UTF8Encoding(false));
        Assert.Contains(message, Assert.Throws<ModelException>(() => ClipTokenizer.Load(folder.Path)).Message, StringComparison.Ordinal);
    }

    private static int[] Ids(ClipTokenizer tokenizer, string text)
    {
        int[] ids = new int[77];
        return ids[..tokenizer.Encode(text, ids)];
    }
}
