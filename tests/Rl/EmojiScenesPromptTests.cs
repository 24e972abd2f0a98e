using CoGrpo.Rl.EmojiScenes;
using CoGrpo.Runtime.Randomness;

namespace CoGrpo.Tests.Rl;

public class EmojiScenesPromptTests
{
    public static TheoryData<SceneTask, int, int> Counts => new()
    {
        { SceneTask.Single, 14, 3 },
        { SceneTask.Two, 218, 54 },
        { SceneTask.Counting, 55, 13 },
        { SceneTask.Colours, 15, 3 },
        { SceneTask.Position, 872, 216 },
        { SceneTask.Attribution, 144, 36 },
    };

    [Theory]
    [MemberData(nameof(Counts))]
    public void Splits_have_the_known_sizes(SceneTask task, int train, int heldOut)
    {
        Assert.Equal(train, PromptSet.Train.Of(task).Length);
        Assert.Equal(heldOut, PromptSet.HeldOut.Of(task).Length);
        Assert.Equal(train + heldOut, PromptSet.Everything.Of(task).Length);
    }

    [Fact]
    public void Every_prompt_is_distinct_and_its_text_reads_back()
    {
        Prompt[] all = All();
        Assert.Equal(1643, all.Length);
        Assert.Equal(all.Length, PromptSet.Everything.Count);
        Assert.Equal(all.Length, all.Distinct().Count());
        Assert.Equal(all.Length, all.Select(prompt => prompt.Text).Distinct().Count());
        int[] ids = new int[SceneWords.TextLength];
        int longest = 0;
        foreach (Prompt prompt in all)
        {
            Assert.Equal(prompt, Prompt.Parse(prompt.Text));
            longest = Math.Max(longest, SceneWords.Tokenizer.Encode(prompt.Text, ids));
            Assert.Equal(prompt.Text, SceneWords.Tokenizer.Decode(ids));
        }

        Assert.Equal(SceneWords.TextLength, longest);
    }

    [Fact]
    public void Texts_are_the_documented_ones()
    {
        Assert.Equal("an umbrella", Prompt.Single(13).Text);
        Assert.Equal("an apple and a fish", Prompt.Two(4, 11).Text);
        Assert.Equal("one fish", Prompt.Counting(11, 1).Text);
        Assert.Equal("four fish", Prompt.Counting(11, 4).Text);
        Assert.Equal("two dogs", Prompt.Counting(0, 2).Text);
        Assert.Equal("an orange heart", Prompt.Colours(1, 0).Text);
        Assert.Equal("a dog left of an apple", Prompt.Position(0, 4, Relation.LeftOf).Text);
        Assert.Equal("a key right of a bell", Prompt.Position(6, 7, Relation.RightOf).Text);
        Assert.Equal("a sun above a square", Prompt.Position(9, 16, Relation.Above).Text);
        Assert.Equal("a sun below a circle", Prompt.Position(9, 15, Relation.Below).Text);
        Assert.Equal("a purple square and an orange circle", Prompt.Attribution(5, 2, 1, 1).Text);
    }

    [Fact]
    public void Held_out_pairs_are_held_out_in_both_orders_and_all_relations()
    {
        foreach (Prompt prompt in PromptSet.Everything.Of(SceneTask.Two))
        {
            Assert.Equal(prompt.IsHeldOut, Prompt.Two(prompt.Second, prompt.First).IsHeldOut);
            foreach (Relation relation in Enum.GetValues<Relation>())
            {
                Assert.Equal(prompt.IsHeldOut, Prompt.Position(prompt.First, prompt.Second, relation).IsHeldOut);
            }
        }

        foreach (Prompt prompt in PromptSet.Everything.Of(SceneTask.Attribution))
        {
            Assert.Equal(
                prompt.IsHeldOut,
                Prompt.Attribution(prompt.SecondColour, prompt.Second - 14, prompt.FirstColour, prompt.First - 14).IsHeldOut
            );
        }
    }

    [Fact]
    public void Held_out_rule_is_the_documented_one()
    {
        Assert.Equal([2, 7, 12], PromptSet.HeldOut.Of(SceneTask.Single).ToArray().Select(prompt => prompt.First));
        Assert.Equal(
            [(0, 14), (2, 16), (4, 15)],
            PromptSet.HeldOut.Of(SceneTask.Colours).ToArray().Select(prompt => (prompt.FirstColour, prompt.First))
        );
        Assert.All(PromptSet.HeldOut.Of(SceneTask.Counting).ToArray(), prompt => Assert.Equal(0, (prompt.First + (2 * prompt.Count)) % 5));
        Assert.True(Prompt.Two(1, 4).IsHeldOut);
        Assert.False(Prompt.Two(0, 1).IsHeldOut);
        Assert.True(Prompt.Attribution(0, 0, 4, 1).IsHeldOut);
        Assert.False(Prompt.Attribution(0, 0, 4, 2).IsHeldOut);
    }

    [Fact]
    public void Training_prompts_name_every_kind_and_every_coloured_shape()
    {
        Prompt[] train = Enum.GetValues<SceneTask>().SelectMany(task => PromptSet.Train.Of(task).ToArray()).ToArray();
        Assert.Equal(Enumerable.Range(0, 17), train.Select(prompt => prompt.First).Distinct().Order());
        IEnumerable<(int, int)> coloured = train
            .Where(prompt => prompt.FirstColour >= 0)
            .Select(prompt => (prompt.First, prompt.FirstColour))
            .Distinct();
        Assert.Equal(18, coloured.Count());
    }

    [Fact]
    public void Draws_are_uniform_over_tasks_then_prompts_and_repeat_with_the_seed()
    {
        var random = new RandomSequence(5, RandomStream.Prompts);
        var again = new RandomSequence(5, RandomStream.Prompts);
        int[] tasks = new int[6];
        var singles = new Dictionary<Prompt, int>();
        for (int i = 0; i < 60000; i++)
        {
            Prompt prompt = PromptSet.Train.Draw(ref random);
            Assert.Same(prompt, PromptSet.Train.Draw(ref again));
            tasks[(int)prompt.Task]++;
            if (prompt.Task == SceneTask.Single)
            {
                singles[prompt] = singles.GetValueOrDefault(prompt) + 1;
            }
        }

        // Five standard deviations of the binomial counts.
        Assert.All(tasks, count => Assert.InRange(count, 10000 - 460, 10000 + 460));
        Assert.Equal(14, singles.Count);
        Assert.All(singles.Values, count => Assert.InRange(count, 714 - 130, 714 + 130));
    }

    [Theory]
    [InlineData("TWO  Dogs ", "two dogs")]
    [InlineData("a apple", "an apple")]
    [InlineData("a red heart\tand an blue circle", "a red heart and a blue circle")]
    public void Parsing_forgives_case_space_and_article(string text, string canonical) => Assert.Equal(canonical, Prompt.Parse(text).Text);

    [Theory]
    [InlineData("")]
    [InlineData("a")]
    [InlineData("dog")]
    [InlineData("dogs")]
    [InlineData("a dogs")]
    [InlineData("two dog")]
    [InlineData("one dogs")]
    [InlineData("two")]
    [InlineData("a red dog")]
    [InlineData("a red")]
    [InlineData("a dog and")]
    [InlineData("a dog left a cat")]
    [InlineData("a dog of a cat")]
    [InlineData("a dog left of")]
    [InlineData("a dog and a cat and a car")]
    [InlineData("a red heart and a circle")]
    [InlineData("a red heart above a blue circle")]
    [InlineData("and and and and and and and and and and")]
    public void A_text_that_is_no_prompt_is_refused_with_the_forms(string text) =>
        Assert.Contains("fits none of the six tasks", Assert.Throws<FormatException>(() => Prompt.Parse(text)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("a dog and a dog", "two different things")]
    [InlineData("a dog above a dog", "two different things")]
    [InlineData("a red heart and a blue heart", "two different shapes")]
    [InlineData("a red heart and a red circle", "two different colours")]
    [InlineData("a dgo", "'dog'")]
    [InlineData("a mushrom", "'mushroom'")]
    public void A_refusal_says_why(string text, string reason) =>
        Assert.Contains(reason, Assert.Throws<FormatException>(() => Prompt.Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void Arguments_out_of_range_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Prompt.Single(17));
        Assert.Throws<ArgumentOutOfRangeException>(() => Prompt.Single(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => Prompt.Counting(0, 5));
        Assert.Throws<ArgumentOutOfRangeException>(() => Prompt.Counting(0, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => Prompt.Colours(6, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => Prompt.Colours(0, 3));
        Assert.Throws<ArgumentOutOfRangeException>(() => Prompt.Position(0, 1, (Relation)4));
        Assert.Throws<InvalidOperationException>(() => Prompt.Single(0).Relation);
        Assert.Throws<ArgumentNullException>(() => Prompt.Parse(null!));
    }

    private static Prompt[] All() => [.. Enum.GetValues<SceneTask>().SelectMany(task => PromptSet.Everything.Of(task).ToArray())];
}
