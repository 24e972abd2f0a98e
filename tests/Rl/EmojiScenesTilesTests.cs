using System.Security.Cryptography;
using CoGrpo.Model.Tokenizers;
using CoGrpo.Rl.EmojiScenes;

namespace CoGrpo.Tests.Rl;

public class EmojiScenesTilesTests
{
    [Fact]
    public void The_embedded_sprites_are_the_documented_file()
    {
        using Stream stream = typeof(SceneTiles).Assembly.GetManifestResourceStream("CoGrpo.Rl.EmojiScenes.sprites.rgba")!;
        Assert.Equal(32768, stream.Length);
        Assert.Equal("07a6fa924cb4616df83fe70f16f6ebece0012a406bca0b341721a68e2a8593b7", Convert.ToHexStringLower(SHA256.HashData(stream)));
    }

    [Theory]
    [InlineData(15, 16, 0.0685)]
    [InlineData(22, 28, 0.0745)]
    [InlineData(8, 9, 0.079)]
    [InlineData(5, 32, 0.098)]
    public void Closest_pairs_stand_at_the_known_distances(int a, int b, double distance) => Assert.Equal(distance, Distance(a, b), 0.0003);

    [Fact]
    public void No_pair_is_closer_than_the_three_closest_and_only_the_banana_is_near_blank()
    {
        var pairs = new List<(double Distance, int A, int B)>();
        for (int a = 0; a < SceneTiles.Count; a++)
        {
            for (int b = 0; b < a; b++)
            {
                pairs.Add((Distance(a, b), b, a));
            }
        }

        pairs.Sort();
        Assert.Equal([(15, 16), (22, 28), (8, 9)], pairs.Take(3).Select(pair => (pair.A, pair.B)));
        Assert.All(Enumerable.Range(0, 32).Where(tile => tile != 5), tile => Assert.True(Distance(tile, SceneTiles.Blank) > 0.12));
    }

    [Fact]
    public void The_codebook_has_431_sorted_patches_and_white_is_the_last()
    {
        PatchCodebook codebook = SceneTiles.Codebook;
        Assert.Equal(431, codebook.Count);
        Assert.Equal(431, SceneLayout.TwoByTwo.Tokenizer.MaskId);
        for (int code = 1; code < codebook.Count; code++)
        {
            Assert.True(codebook.Patch(code - 1).SequenceCompareTo(codebook.Patch(code)) < 0);
        }

        Assert.Equal(-1, codebook.Patch(430).IndexOfAnyExcept((byte)255));
        Assert.Equal(-1, SceneTiles.Codes(SceneTiles.Blank).IndexOfAnyExcept(430));
    }

    [Fact]
    public void White_is_a_fifteenth_of_the_sprites_patches()
    {
        int white = 0;
        for (int tile = 0; tile < SceneTiles.Blank; tile++)
        {
            white += SceneTiles.Codes(tile).Count(430);
        }

        Assert.Equal(0.066, white / 512.0, 0.0005);
    }

    [Fact]
    public void Kinds_and_colours_of_tiles_invert_TileOf()
    {
        for (int tile = 0; tile < SceneTiles.Blank; tile++)
        {
            Assert.Equal(tile, SceneTiles.TileOf(SceneTiles.KindOf(tile), SceneTiles.ColourOf(tile)));
        }

        Assert.Equal((-1, -1), (SceneTiles.KindOf(SceneTiles.Blank), SceneTiles.ColourOf(SceneTiles.Blank)));
        Assert.Equal((16, 5), (SceneTiles.KindOf(31), SceneTiles.ColourOf(31)));
        Assert.Equal(22, SceneTiles.TileOf(15, 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => SceneTiles.TileOf(14, -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => SceneTiles.TileOf(17, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => SceneTiles.KindOf(33));
    }

    [Fact]
    public void Colour_words_name_the_colours_of_the_shapes()
    {
        // The channel order that each colour must have in the middle of its square: catches a permuted sprite table.
        (string Colour, Func<byte, byte, byte, bool> Holds)[] rules =
        [
            ("red", (r, g, b) => r > 180 && g < 100 && b < 100), ("orange", (r, g, b) => r > 200 && g is > 90 and < 190 && b < 100),
            ("yellow", (r, g, b) => r > 200 && g > 190 && b < 120), ("green", (r, g, b) => g > r && g > b),
            ("blue", (r, g, b) => b > r && b > g), ("purple", (r, g, b) => r > g && b > g),
        ];
        for (int colour = 0; colour < rules.Length; colour++)
        {
            Assert.Equal(rules[colour].Colour, SceneWords.Colours[colour]);
            ReadOnlySpan<byte> middle = SceneTiles.Pixels(SceneTiles.TileOf(16, colour)).Slice(((8 * 16) + 8) * 3, 3);
            Assert.True(rules[colour].Holds(middle[0], middle[1], middle[2]), $"{rules[colour].Colour}: {middle[0]} {middle[1]} {middle[2]}");
        }
    }

    private static double Distance(int a, int b)
    {
        int sum = 0;
        for (int i = 0; i < SceneTiles.Bytes; i++)
        {
            sum += Math.Abs(SceneTiles.Pixels(a)[i] - SceneTiles.Pixels(b)[i]);
        }

        return sum / (255.0 * SceneTiles.Bytes);
    }
}
