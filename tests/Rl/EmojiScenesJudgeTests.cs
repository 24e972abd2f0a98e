using CoGrpo.Rl;
using CoGrpo.Rl.EmojiScenes;
using CoGrpo.Runtime.Randomness;

namespace CoGrpo.Tests.Rl;

public class EmojiScenesJudgeTests
{
    private const int None = SceneTiles.Blank;
    private static readonly SceneLayout _layout = SceneLayout.TwoByTwo;

    [Theory]
    [InlineData("a dog", 1, 3)]
    [InlineData("a dog and a cat", 1, 3)]
    [InlineData("four dogs", 1, 3)]
    [InlineData("a red heart", 1, 3)]
    [InlineData("a dog left of a cat", 1, 4)]
    [InlineData("a red heart and a blue circle", 1, 5)]
    public void A_blank_picture_gets_one_fact_and_full_fidelity(string text, int held, int total)
    {
        SceneCell[] cells = Read([None, None, None, None]);
        Assert.Equal(new Facts(held, total), Facts.Check(Prompt.Parse(text), _layout, cells));
        Assert.Equal(total, Facts.Count(Prompt.Parse(text).Task));
        Assert.Equal(1, new Fidelity(_layout).Of(Prompt.Parse(text), cells));
        Assert.Equal(0, new Judge(_layout).Of(Prompt.Parse(text), cells));
    }

    // Tiles: 0 dog, 1 cat, 2 car, 14.. hearts, 20.. circles, 26.. squares by colour, 32 blank.
    [Theory]
    [InlineData("a dog", new[] { 0, 32, 32, 32 }, 3)]
    [InlineData("a dog", new[] { 0, 0, 32, 32 }, 2)]
    [InlineData("a dog", new[] { 0, 1, 32, 32 }, 2)]
    [InlineData("a dog", new[] { 1, 32, 32, 32 }, 0)]
    [InlineData("a heart", new[] { 32, 32, 19, 32 }, 3)]
    [InlineData("one dog", new[] { 0, 32, 32, 32 }, 3)]
    [InlineData("three dogs", new[] { 0, 0, 0, 32 }, 3)]
    [InlineData("three dogs", new[] { 0, 0, 0, 0 }, 2)]
    [InlineData("three dogs", new[] { 0, 0, 1, 32 }, 1)]
    [InlineData("two hearts", new[] { 14, 19, 32, 32 }, 3)]
    [InlineData("a red heart", new[] { 14, 32, 32, 32 }, 3)]
    [InlineData("a red heart", new[] { 15, 32, 32, 32 }, 2)]
    [InlineData("a red heart", new[] { 14, 15, 32, 32 }, 2)]
    [InlineData("a red heart", new[] { 14, 14, 32, 32 }, 1)]
    [InlineData("a red heart", new[] { 20, 32, 32, 32 }, 0)]
    [InlineData("a dog and a cat", new[] { 1, 32, 32, 0 }, 3)]
    [InlineData("a dog and a cat", new[] { 0, 0, 1, 32 }, 2)]
    [InlineData("a dog and a cat", new[] { 0, 1, 2, 32 }, 2)]
    [InlineData("a dog and a cat", new[] { 0, 2, 32, 32 }, 1)]
    [InlineData("a dog left of a cat", new[] { 0, 32, 32, 1 }, 4)]
    [InlineData("a dog left of a cat", new[] { 1, 0, 32, 32 }, 3)]
    [InlineData("a dog left of a cat", new[] { 0, 32, 1, 32 }, 3)]
    [InlineData("a dog right of a cat", new[] { 1, 32, 32, 0 }, 4)]
    [InlineData("a dog above a cat", new[] { 32, 0, 1, 32 }, 4)]
    [InlineData("a dog above a cat", new[] { 0, 1, 32, 32 }, 3)]
    [InlineData("a dog below a cat", new[] { 32, 1, 0, 32 }, 4)]
    [InlineData("a dog left of a cat", new[] { 0, 1, 0, 32 }, 2)]
    [InlineData("a red heart and a blue circle", new[] { 14, 24, 32, 32 }, 5)]
    [InlineData("a red heart and a blue circle", new[] { 18, 20, 32, 32 }, 3)]
    [InlineData("a red heart and a blue circle", new[] { 14, 20, 32, 32 }, 4)]
    [InlineData("a red heart and a blue circle", new[] { 14, 24, 18, 32 }, 3)]
    [InlineData("a red heart and a blue circle", new[] { 14, 24, 0, 32 }, 4)]
    public void Facts_hold_as_documented(string text, int[] tiles, int held)
    {
        Prompt prompt = Prompt.Parse(text);
        SceneCell[] cells = Read(tiles);
        Facts facts = Facts.Check(prompt, _layout, cells);
        Assert.Equal(held, facts.Held);
        Assert.Equal((double)held / facts.Total, new Adherence(_layout).Of(prompt, cells));
        Assert.Equal(facts.All ? 1 : 0, new Judge(_layout).Of(prompt, cells));
        Assert.Equal(1, new Fidelity(_layout).Of(prompt, cells));
    }

    [Fact]
    public void One_random_wrong_patch_leaves_a_cell_of_a_real_picture_clean_in_about_22_percent()
    {
        var composer = new SceneComposer(_layout);
        var reader = new SceneReader(_layout);
        var random = new RandomSequence(2, RandomStream.Pictures);
        int[] codes = new int[64];
        var cells = new SceneCell[4];
        const int Trials = 20000;
        int one = 0;
        int two = 0;
        for (int trial = 0; trial < Trials; trial++)
        {
            composer.Compose(PromptSet.Everything.Draw(ref random), ref random, codes);
            int cell = random.Next(4);
            int place = random.Next(16);
            Replace(codes, _layout.CodeIndex(cell, place), ref random);
            reader.Read(codes, cells);
            one += cells[cell].IsClean ? 1 : 0;
            Replace(codes, _layout.CodeIndex(cell, (place + 1 + random.Next(15)) % 16), ref random);
            reader.Read(codes, cells);
            two += cells[cell].IsClean ? 1 : 0;
        }

        // The standard error is 0.003; blank cells (9 of 16 in real pictures) take most of them: 0.295 against 0.129 for sprites.
        Assert.Equal(0.22, (double)one / Trials, 0.01);
        Assert.Equal(0.022, (double)two / Trials, 0.004);
    }

    [Fact]
    public void A_dirty_cell_fails_the_judge_and_lowers_fidelity_by_its_distance()
    {
        int[] codes = new int[64];
        new SceneComposer(_layout).Draw([0, None, None, None], codes);
        int dark = Enumerable.Range(0, 431).MinBy(code => SceneTiles.Codebook.Patch(code).ToArray().Sum(value => value));
        codes[63] = dark;
        var cells = new SceneCell[4];
        new SceneReader(_layout).Read(codes, cells);
        Assert.Equal(None, cells[3].Tile);
        Assert.False(cells[3].IsClean);
        Assert.Equal(SceneTiles.Codebook.Patch(dark).ToArray().Sum(value => 255 - value), cells[3].Difference);
        Prompt prompt = Prompt.Single(0);
        Assert.True(Facts.Check(prompt, _layout, cells).All);
        Assert.Equal(0, new Judge(_layout).Of(prompt, cells));
        Assert.Equal((3 + (1 - (cells[3].Distance / 0.1))) / 4, new Fidelity(_layout).Of(prompt, cells), 1e-12);
    }

    [Fact]
    public void Clean_ends_at_one_hundredth()
    {
        Assert.True(new SceneCell(0, 1958).IsClean);
        Assert.False(new SceneCell(0, 1959).IsClean);
        Assert.True(new SceneCell(0, 1958).Distance <= 0.01);
        Assert.True(new SceneCell(0, 1959).Distance > 0.01);
    }

    [Fact]
    public void Equal_distances_go_to_the_lowest_tile()
    {
        // A picture exactly between star and sun; odd gaps are rounded towards one and the other in turn.
        byte[] rgb = new byte[_layout.Tokenizer.PictureBytes];
        bool towardsStar = false;
        for (int i = 0; i < 768; i++)
        {
            (int star, int sun) = (SceneTiles.Pixels(8)[i], SceneTiles.Pixels(9)[i]);
            towardsStar ^= (star + sun) % 2 == 1;
            rgb[At(i)] = (byte)((star + sun + (star > sun == towardsStar ? 1 : 0)) / 2);
        }

        Assert.Equal(DifferenceTo(8), DifferenceTo(9));
        Assert.Equal(new SceneCell(8, DifferenceTo(8)), Read());

        int apart = Enumerable.Range(0, 768).First(i => SceneTiles.Pixels(9)[i] > SceneTiles.Pixels(8)[i] + 1);
        rgb[At(apart)]++;
        Assert.Equal(new SceneCell(9, DifferenceTo(9)), Read());

        SceneCell Read()
        {
            var cells = new SceneCell[4];
            new SceneReader(_layout).ReadPixels(rgb, cells);
            return cells[0];
        }

        int DifferenceTo(int tile) => Enumerable.Range(0, 768).Sum(i => Math.Abs(SceneTiles.Pixels(tile)[i] - rgb[At(i)]));

        static int At(int i) => (i / 48 * 96) + (i % 48);
    }

    [Fact]
    public void Rewards_score_a_batch_from_its_codes()
    {
        Prompt[] prompts = [Prompt.Single(0), Prompt.Single(1)];
        int[] codes = new int[128];
        var composer = new SceneComposer(_layout);
        composer.Draw([0, None, None, None], codes.AsSpan(0, 64));
        composer.Draw([None, None, None, None], codes.AsSpan(64));
        double[] scores = new double[2];
        (IReward Reward, string Name, double[] Wanted)[] rewards =
        [
            (new Adherence(_layout), "adherence", [1, 1.0 / 3]), (new Fidelity(_layout), "fidelity", [1, 1]), (new Judge(_layout), "judge", [1, 0]),
        ];
        foreach ((IReward reward, string name, double[] wanted) in rewards)
        {
            reward.Score(new RewardBatch(prompts, codes, _layout.Tokenizer), scores);
            Assert.Equal(name, reward.Name);
            Assert.Equal(wanted, scores);
        }

        byte[] rgb = new byte[32 * 32 * 3];
        byte[] same = new byte[32 * 32 * 3];
        var batch = new RewardBatch(prompts, codes, _layout.Tokenizer);
        batch.Picture(0, rgb);
        _layout.Tokenizer.Decode(codes.AsSpan(0, 64), same);
        Assert.Equal(same, rgb);

        var adherence = new Adherence(_layout);
        long before = GC.GetAllocatedBytesForCurrentThread();
        adherence.Score(batch, scores);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void Unfinished_and_mismatched_pictures_are_refused()
    {
        int[] codes = new int[64];
        codes.AsSpan().Fill(430);
        codes[20] = 431;
        var reader = new SceneReader(_layout);
        Assert.Contains("the mask", Assert.Throws<ArgumentException>(() => reader.Read(codes, new SceneCell[4])).Message, StringComparison.Ordinal);
        codes[20] = -5;
        Assert.Contains("-5", Assert.Throws<ArgumentException>(() => reader.Read(codes, new SceneCell[4])).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => reader.Read(new int[63], new SceneCell[4]));
        Assert.Throws<ArgumentException>(() => reader.Read(new int[64], new SceneCell[5]));
        Assert.Throws<ArgumentException>(() => reader.ReadPixels(new byte[32 * 32 * 4], new SceneCell[4]));
        Assert.Throws<ArgumentException>(() => new RewardBatch([Prompt.Single(0)], new int[63], _layout.Tokenizer).Count);
        Assert.Throws<ArgumentException>(() =>
            new Judge(_layout).Score(new RewardBatch([Prompt.Single(0)], new int[64], _layout.Tokenizer), new double[2])
        );
        string text = Assert
            .Throws<ArgumentException>(() =>
                new Judge(_layout).Score(new RewardBatch([new Words("a sunset")], new int[64], _layout.Tokenizer), new double[1])
            )
            .Message;
        Assert.Contains("a sunset", text, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Diversity.Of(_layout, []));
        Assert.Throws<ArgumentException>(() => Diversity.Of(_layout, new SceneCell[5]));
    }

    private static void Replace(int[] codes, int at, ref RandomSequence random)
    {
        int wrong = random.Next(430);
        codes[at] = wrong + (wrong >= codes[at] ? 1 : 0);
    }

    private static SceneCell[] Read(int[] tiles)
    {
        int[] codes = new int[64];
        new SceneComposer(_layout).Draw(tiles, codes);
        var cells = new SceneCell[4];
        new SceneReader(_layout).Read(codes, cells);
        return cells;
    }

    private sealed record Words(string Text) : IPrompt;
}
