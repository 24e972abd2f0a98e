using CoGrpo.Rl.EmojiScenes;
using CoGrpo.Runtime.Randomness;

namespace CoGrpo.Tests.Rl;

public class EmojiScenesComposerTests
{
    public static TheoryData<int> Sides => [2, 3];

    [Theory]
    [MemberData(nameof(Sides))]
    public void Every_prompts_pictures_pass_the_judge_and_read_back_as_placed(int side)
    {
        SceneLayout layout = Layout(side);
        var composer = new SceneComposer(layout);
        var reader = new SceneReader(layout);
        var judge = new Judge(layout);
        var random = new RandomSequence(1, RandomStream.Pictures);
        int[] tiles = new int[layout.CellCount];
        int[] codes = new int[layout.CodeCount];
        int[] encoded = new int[layout.CodeCount];
        var cells = new SceneCell[layout.CellCount];
        var fromPixels = new SceneCell[layout.CellCount];
        byte[] rgb = new byte[layout.Tokenizer.PictureBytes];
        foreach (SceneTask task in Enum.GetValues<SceneTask>())
        {
            foreach (Prompt prompt in PromptSet.Everything.Of(task))
            {
                composer.Place(prompt, ref random, tiles);
                composer.Draw(tiles, codes);
                reader.Read(codes, cells);
                Assert.Equal(tiles, cells.Select(cell => cell.Tile));
                Assert.All(cells, cell => Assert.Equal(0, cell.Difference));
                Assert.Equal(1, judge.Of(prompt, cells));

                layout.Tokenizer.Decode(codes, rgb);
                layout.Tokenizer.Encode(rgb, encoded);
                Assert.Equal(codes, encoded);
                reader.ReadPixels(rgb, fromPixels);
                Assert.Equal(cells, fromPixels);
            }
        }
    }

    [Fact]
    public void Cells_stand_where_the_layout_says()
    {
        int[] codes = new int[64];
        new SceneComposer(SceneLayout.TwoByTwo).Draw([32, 0, 32, 32], codes);
        byte[] rgb = new byte[32 * 32 * 3];
        SceneLayout.TwoByTwo.Tokenizer.Decode(codes, rgb);
        for (int y = 0; y < 32; y++)
        {
            for (int x = 0; x < 32; x++)
            {
                ReadOnlySpan<byte> wanted = y < 16 && x >= 16 ? SceneTiles.Pixels(0).Slice(((y * 16) + x - 16) * 3, 3) : [255, 255, 255];
                Assert.Equal(wanted, rgb.AsSpan(((y * 32) + x) * 3, 3));
            }
        }
    }

    [Theory]
    [InlineData(Relation.LeftOf, new[] { 1, 3, 9, 11 })]
    [InlineData(Relation.RightOf, new[] { 4, 6, 12, 14 })]
    [InlineData(Relation.Above, new[] { 2, 3, 6, 7 })]
    [InlineData(Relation.Below, new[] { 8, 9, 12, 13 })]
    public void A_relation_takes_each_of_its_four_pairs_equally_often(Relation relation, int[] pairs)
    {
        // A pair is 4 x first + second.
        int[] counts = Placements(
            SceneLayout.TwoByTwo,
            Prompt.Position(0, 1, relation),
            4000,
            tiles => (4 * Array.IndexOf(tiles, 0)) + Array.IndexOf(tiles, 1),
            16
        );
        Uniform(counts, pairs, 4000);
    }

    [Fact]
    public void Relations_of_nine_cells_compare_columns_and_rows()
    {
        int[] counts = Placements(
            SceneLayout.ThreeByThree,
            Prompt.Position(0, 1, Relation.LeftOf),
            5400,
            tiles => (9 * Array.IndexOf(tiles, 0)) + Array.IndexOf(tiles, 1),
            81
        );
        Uniform(counts, [.. Enumerable.Range(0, 81).Where(pair => (pair / 9) % 3 < pair % 9 % 3)], 5400);
    }

    [Fact]
    public void Pairs_cells_counts_and_free_colours_are_uniform()
    {
        SceneLayout layout = SceneLayout.TwoByTwo;
        int[] pairs = Placements(layout, Prompt.Two(0, 1), 6000, tiles => (4 * Array.IndexOf(tiles, 0)) + Array.IndexOf(tiles, 1), 16);
        Uniform(pairs, [.. Enumerable.Range(0, 16).Where(pair => pair / 4 != pair % 4)], 6000);
        Uniform(Placements(layout, Prompt.Single(3), 4000, tiles => Array.IndexOf(tiles, 3), 4), [0, 1, 2, 3], 4000);
        Uniform(Placements(layout, Prompt.Counting(3, 3), 4000, tiles => Array.IndexOf(tiles, 32), 4), [0, 1, 2, 3], 4000);
        Uniform(Placements(layout, Prompt.Single(15), 6000, tiles => tiles.Min() - 20, 6), [0, 1, 2, 3, 4, 5], 6000);

        // Each instance of an uncoloured shape has its own colour: 36 ordered pairs for two hearts.
        int[] colours = Placements(
            layout,
            Prompt.Counting(14, 2),
            7200,
            tiles => tiles.Where(tile => tile != 32).Aggregate(0, (sum, tile) => (6 * sum) + tile - 14),
            36
        );
        Uniform(colours, [.. Enumerable.Range(0, 36)], 7200);
    }

    [Fact]
    public void A_named_colour_is_kept()
    {
        int[] counts = Placements(SceneLayout.TwoByTwo, Prompt.Attribution(3, 0, 5, 2), 200,
            tiles => tiles.Contains(17) && tiles.Contains(31) && tiles.Count(tile => tile == 32) == 2 ? 1 : 0, 2);
        Assert.Equal([0, 200], counts);
    }

    [Fact]
    public void Composing_allocates_nothing_and_repeats_with_the_seed()
    {
        var composer = new SceneComposer(SceneLayout.TwoByTwo);
        int[] codes = new int[64];
        int[] again = new int[64];
        var random = new RandomSequence(3, RandomStream.Pictures);
        for (int i = 0; i < 100; i++)
        {
            composer.Compose(PromptSet.Train.Draw(ref random), ref random, codes);
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            composer.Compose(PromptSet.Train.Draw(ref random), ref random, codes);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        var first = new RandomSequence(3, RandomStream.Pictures, 9);
        var second = new RandomSequence(3, RandomStream.Pictures, 9);
        composer.Compose(Prompt.Counting(14, 4), ref first, codes);
        composer.Compose(Prompt.Counting(14, 4), ref second, again);
        Assert.Equal(codes, again);
    }

    [Fact]
    public void Wrong_lengths_and_tiles_are_refused()
    {
        var composer = new SceneComposer(SceneLayout.TwoByTwo);
        Assert.Throws<ArgumentException>(() => composer.Draw([32, 32, 32], new int[64]));
        Assert.Throws<ArgumentException>(() => composer.Draw([32, 32, 32, 32], new int[63]));
        Assert.Throws<ArgumentOutOfRangeException>(() => composer.Draw([32, 33, 32, 32], new int[64]));
        Assert.Throws<ArgumentException>(() =>
        {
            var random = new RandomSequence(0, RandomStream.Pictures);
            composer.Compose(Prompt.Single(0), ref random, new int[144]);
        });
    }

    private static SceneLayout Layout(int side) => side == 2 ? SceneLayout.TwoByTwo : SceneLayout.ThreeByThree;

    private static int[] Placements(SceneLayout layout, Prompt prompt, int draws, Func<int[], int> bin, int bins)
    {
        var composer = new SceneComposer(layout);
        var random = new RandomSequence(11, RandomStream.Pictures);
        int[] tiles = new int[layout.CellCount];
        int[] counts = new int[bins];
        for (int i = 0; i < draws; i++)
        {
            composer.Place(prompt, ref random, tiles);
            counts[bin(tiles)]++;
        }

        return counts;
    }

    private static void Uniform(int[] counts, int[] bins, int draws)
    {
        double expected = (double)draws / bins.Length;
        double five = 5 * Math.Sqrt(expected);
        Assert.Equal(draws, bins.Sum(bin => counts[bin]));
        Assert.All(bins, bin => Assert.InRange(counts[bin], expected - five, expected + five));
    }
}
