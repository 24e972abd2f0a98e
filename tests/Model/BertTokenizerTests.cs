using System.Text.Json;
using CoGrpo.Model.Text;
using CoGrpo.Model.Tokenizers;
using CoGrpo.Tests.Fixtures;

namespace CoGrpo.Tests.Model;

public sealed class BertTokenizerTests
{
    private const string Area = "bert-tokenizer";

    [Fact]
    [Trait("Category", "fixtures")]
    public void Every_golden_text_has_its_ids()
    {
        var tokenizer = new BertTokenizer();
        List<string> wrong = [];
        int rows = 0;
        foreach (string line in File.ReadLines(FixtureFolder.At(Area, "tokens.jsonl")).Where(l => l.Length > 0))
        {
            JsonElement row = JsonDocument.Parse(line).RootElement;
            string text = row.GetProperty("text").GetString()!;
            int[] golden = [.. row.GetProperty("ids").EnumerateArray().Select(x => x.GetInt32())];
            var ids = new int[35];
            int count = tokenizer.Encode(text, ids, out bool isCut);
            rows++;
            if (!golden.SequenceEqual(ids[..count]) || ids[count..].Any(id => id != 0) || isCut != row.GetProperty("full_length").GetInt32() > 35)
            {
                string category = row.GetProperty("category").GetString()!;
                wrong.Add($"{category} {JsonSerializer.Serialize(text)}: {string.Join(' ', ids)}, cut {isCut}, wanted {string.Join(' ', golden)}");
            }
        }

        Assert.True(rows >= 400 && wrong.Count == 0, $"{wrong.Count} of {rows}: {string.Join('\n', wrong)}");
    }

    /// <summary>The rows of specs/reward-models.md 6.3.</summary>
    [Theory]
    [InlineData("a painting of an ocean with clouds and birds, day time, low depth field effect",
        "101 1037 4169 1997 2019 4153 2007 8044 1998 5055 1010 2154 2051 1010 2659 5995 2492 3466 102")]
    [InlineData("A cat with two horns on its head", "101 1037 4937 2007 2048 11569 2006 2049 2132 102")]
    [InlineData("a photo of two clocks", "101 1037 6302 1997 2048 20940 102")]
    [InlineData(
        "The sea, sunset, colorful, clear water, digital illustration.",
        "101 1996 2712 1010 10434 1010 14231 1010 3154 2300 1010 3617 14614 1012 102"
    )]
    [InlineData("", "101 102")]
    public void Texts_of_the_specification_have_its_ids(string text, string ids)
    {
        var got = new int[35];
        int count = new BertTokenizer().Encode(text, got);
        Assert.Equal(ids, string.Join(' ', got[..count]));
    }

    /// <summary>The specification gives this prompt by its ids in CLIP's vocabulary; punctuation stands alone in both.</summary>
    [Fact]
    public void The_long_prompt_of_the_specification_has_its_ids()
    {
        const string Clip =
            "7163 597 14982 531 518 33632 267 8118 12609 267 3616 7305 1395 267 25602 2000 267 1153 16157 "
            + "267 43040 13024 267 1400 11405 267 3797 2353 267 31313 14744 267 279 330 267 1278 43791 5394 267";
        const string Bert =
            "101 2331 2135 9445 2000 1996 22159 1010 11087 6851 1010 4010 4592 2422 1010 21014 2915 1010 6302 22852 6553 1010 13323 7231 17552 1010 "
            + "2152 6210 1010 2986 4751 1010 16491 12623 102";
        string text = ClipTokenizer.OpenClip.Decode([.. Clip.Split(' ').Select(int.Parse)]);
        var ids = new int[35];
        new BertTokenizer().Encode(text, ids, out bool isCut);
        Assert.Equal(Bert, string.Join(' ', ids));
        Assert.True(isCut, text);
    }

    [Fact]
    public void Vocabulary_and_special_tokens_are_the_published_ones()
    {
        var tokenizer = new BertTokenizer();
        Assert.Equal((30524, 35, 0, 102), (tokenizer.VocabularySize, tokenizer.Length, tokenizer.PadId, tokenizer.EosId));
        Assert.Equal("[PAD] [UNK] [MASK] the cats", tokenizer.Decode([101, 0, 100, 103, 1996, 8870]));
        Assert.Equal("[DEC] [ENC]", tokenizer.Decode([30522, 30523, 102, 1996]));
        Assert.Equal("strawberries", tokenizer.Decode([13137, 20968]));
    }

    [Theory]
    [InlineData(33, false)]
    [InlineData(34, true)]
    public void A_text_is_cut_to_two_less_than_the_length(int words, bool isCut)
    {
        var ids = new int[35];
        Assert.Equal(35, new BertTokenizer().Encode(string.Join(' ', Enumerable.Repeat("cat", words)), ids, out bool cut));
        Assert.Equal((isCut, 101, 4937, 102), (cut, ids[0], ids[33], ids[34]));
    }

    [Theory]
    [InlineData(75, false)]
    [InlineData(76, true)]
    public void The_tokenizer_of_CLIP_tells_of_a_cut_as_well(int words, bool isCut)
    {
        foreach (ClipTokenizer tokenizer in new[] { ClipTokenizer.OpenClip, ClipTokenizer.Published })
        {
            tokenizer.Encode(string.Join(' ', Enumerable.Repeat("cat", words)), new int[77], out bool cut);
            Assert.Equal(isCut, cut);
        }
    }

    [Fact]
    public void Rooms_and_ids_of_another_size_are_refused()
    {
        var tokenizer = new BertTokenizer();
        Assert.Throws<ArgumentException>(() => tokenizer.Encode("a", new int[34]));
        Assert.Throws<ArgumentException>(() => tokenizer.Decode([30524]));
        Assert.Throws<ArgumentOutOfRangeException>(() => new BertTokenizer(1));
    }

    [Fact]
    public void Hostile_texts_give_a_row_of_ids()
    {
        string[] texts =
        [
            new('a', 1_000_000), new('\u0301', 200_000), new('!', 1_000_000), string.Concat(Enumerable.Repeat("\ud800", 1000)), new('[', 1_000_000),
            string.Concat(Enumerable.Repeat("[SEP]", 100_000)), new('漢', 300_000), string.Concat(Enumerable.Repeat("a\u0301\u0323", 100_000)),
            new('\0', 1_000_000),
        ];
        foreach (string text in texts)
        {
            var ids = new int[35];
            int count = new BertTokenizer().Encode(text, ids);
            Assert.Equal((101, 102), (ids[0], ids[count - 1]));
        }
    }

    [Theory]
    [InlineData("abc", "abc")]
    [InlineData("\u00e9\u01d5", "e\u0301U\u0308\u0304")]
    [InlineData("\uac01\u212b", "\u1100\u1161\u11a8A\u030a")]
    [InlineData("a\u0301\u0323", "a\u0323\u0301")]
    public void Form_D_takes_characters_apart_and_orders_marks(string text, string golden) => Assert.Equal(golden, CanonicalForm.Decompose(text));
}
