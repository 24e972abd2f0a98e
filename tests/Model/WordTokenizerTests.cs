using CoGrpo.Model.Tokenizers;
using CoGrpo.Rl.EmojiScenes;

namespace CoGrpo.Tests.Model;

public class WordTokenizerTests
{
    private static readonly WordTokenizer _tokenizer = SceneWords.Tokenizer;

    [Fact]
    public void The_vocabulary_has_53_ids_in_the_documented_order()
    {
        Assert.Equal(53, _tokenizer.VocabularySize);
        Assert.Equal(8, _tokenizer.Length);
        Assert.Equal((0, 1), (_tokenizer.PadId, _tokenizer.EosId));
        Assert.Equal(
            "a an and left right of above below one two three four red orange yellow green blue purple dog cat car house apple banana key bell "
                + "star sun tree fish mushroom umbrella heart circle square dogs cats cars houses apples bananas keys bells stars suns trees mushrooms umbrellas "
                + "hearts circles squares",
            string.Join(' ', _tokenizer.Words.ToArray())
        );
    }

    [Theory]
    [InlineData("", new[] { 1, 0, 0, 0, 0, 0, 0, 0 }, 1)]
    [InlineData(" \t\n", new[] { 1, 0, 0, 0, 0, 0, 0, 0 }, 1)]
    [InlineData("a dog", new[] { 2, 20, 1, 0, 0, 0, 0, 0 }, 3)]
    [InlineData("  Two   DOGS", new[] { 11, 37, 1, 0, 0, 0, 0, 0 }, 3)]
    [InlineData("a red heart and a blue circle", new[] { 2, 14, 34, 4, 2, 18, 35, 1 }, 8)]
    public void Texts_become_words_end_and_padding(string text, int[] wanted, int count)
    {
        int[] ids = [9, 9, 9, 9, 9, 9, 9, 9];
        Assert.Equal(count, _tokenizer.Encode(text, ids));
        Assert.Equal(wanted, ids);
        Assert.Equal(string.Join(' ', text.ToLowerInvariant().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)), _tokenizer.Decode(ids));
    }

    [Theory]
    [InlineData("a dgo", "'dgo'", "'dog'")]
    [InlineData("a dog.", "'dog.'", "'dog'")]
    [InlineData("an umbrela", "'umbrela'", "'umbrella'")]
    [InlineData("a HEARTH", "'HEARTH'", "'heart'")]
    [InlineData("a pad", "'pad'", "'a'")]
    public void An_unknown_word_is_named_with_the_nearest_known_one(string text, string word, string nearest)
    {
        string message = Assert.Throws<FormatException>(() => _tokenizer.Encode(text, new int[8])).Message;
        Assert.Contains(word, message, StringComparison.Ordinal);
        Assert.Contains(nearest, message, StringComparison.Ordinal);
    }

    [Fact]
    public void Hostile_input_is_refused_without_effort()
    {
        Assert.True(Assert.Throws<FormatException>(() => _tokenizer.Encode(new string('x', 10_000_000), new int[8])).Message.Length < 300);
        Assert.Contains(
            "at most 7 words",
            Assert.Throws<FormatException>(() => _tokenizer.Encode("a a a a a a a a", new int[8])).Message,
            StringComparison.Ordinal
        );
        Assert.Throws<FormatException>(() => _tokenizer.Encode("a\0dog", new int[8]));
        Assert.Throws<ArgumentException>(() => _tokenizer.Encode("a", new int[7]));
        Assert.Throws<ArgumentException>(() => _tokenizer.Decode([2, 53, 1]));
        Assert.Throws<ArgumentException>(() => _tokenizer.Decode([2, -1, 1]));
        Assert.Throws<ArgumentException>(() => _tokenizer.Decode([2, 0, 1]));
    }

    [Fact]
    public void A_vocabulary_of_bad_words_is_refused()
    {
        Assert.Throws<ArgumentException>(() => new WordTokenizer(["a", "A"], 4));
        Assert.Throws<ArgumentException>(() => new WordTokenizer(["a b"], 4));
        Assert.Throws<ArgumentException>(() => new WordTokenizer([""], 4));
        Assert.Throws<ArgumentOutOfRangeException>(() => new WordTokenizer(["a"], 0));
    }

    [Fact]
    public void Encoding_allocates_nothing()
    {
        int[] ids = new int[8];
        _tokenizer.Encode("a red heart and a blue circle", ids);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
        {
            _tokenizer.Encode("a red heart and a blue circle", ids);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }
}
