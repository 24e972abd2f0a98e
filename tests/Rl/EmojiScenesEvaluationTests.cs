using CoGrpo.Rl.EmojiScenes;
using CoGrpo.Runtime.Randomness;

namespace CoGrpo.Tests.Rl;

public class EmojiScenesEvaluationTests
{
    private static readonly SceneLayout _layout = SceneLayout.TwoByTwo;

    [Fact]
    public void The_set_repeats_with_its_seed_and_comes_from_its_split()
    {
        var set = new EvaluationSet(PromptSet.HeldOut, 16, 42);
        Assert.Equal(768, set.Count);
        Assert.Equal(768, set.Prompts.Length);
        Assert.Equal(set.Prompts.ToArray(), new EvaluationSet(PromptSet.HeldOut, 16, 42).Prompts.ToArray());
        Assert.NotEqual(set.Prompts.ToArray(), new EvaluationSet(PromptSet.HeldOut, 16, 43).Prompts.ToArray());
        Assert.All(set.Prompts.ToArray(), prompt => Assert.True(prompt.IsHeldOut));
        Assert.All(new EvaluationSet(PromptSet.Train, 16, 42).Prompts.ToArray(), prompt => Assert.False(prompt.IsHeldOut));
        for (int i = 0; i < set.Count; i++)
        {
            Assert.Equal(i / 128, (int)set.Prompts[i].Task);
            Assert.Same(set.Prompts[i / 8 * 8], set.Prompts[i]);
        }
    }

    [Fact]
    public void A_larger_set_begins_each_task_with_the_smaller()
    {
        var small = new EvaluationSet(PromptSet.HeldOut, 4, 7, samples: 1);
        var large = new EvaluationSet(PromptSet.HeldOut, 9, 7, samples: 1);
        for (int task = 0; task < 6; task++)
        {
            Assert.Equal(small.Prompts.Slice(task * 4, 4).ToArray(), large.Prompts.Slice(task * 9, 4).ToArray());
        }
    }

    [Fact]
    public void Real_pictures_have_perfect_scores_and_the_known_diversity()
    {
        var set = new EvaluationSet(PromptSet.HeldOut, 400, 1);
        int[] codes = new int[set.Count * 64];
        var composer = new SceneComposer(_layout);
        var random = new RandomSequence(1, RandomStream.Pictures);
        for (int i = 0; i < set.Count; i++)
        {
            composer.Compose(set.Prompts[i], ref random, codes.AsSpan(i * 64, 64));
        }

        EvaluationReport report = set.Report(_layout, codes);
        for (int task = 0; task < 6; task++)
        {
            TaskScores scores = report.Of((SceneTask)task);
            Assert.Equal((1.0, 1.0, 1.0), (scores.Judge, scores.Adherence, scores.Fidelity));
            Assert.Equal(scores, report.Tasks[task]);

            // A prompt's eight samples deviate by less than 0.14 (four equally likely pictures, the worst case), 400 prompts by less than 0.007.
            double expected = set.Prompts.Slice(task * 3200, 3200).ToArray().Average(ExpectedDiversity);
            Assert.Equal(expected, scores.Diversity, 0.028);
        }

        Assert.Equal(1, report.Mean.Judge, 1e-12);
        Assert.Equal(0, report.JudgeStandardError);
    }

    [Theory]
    [InlineData(SceneTask.Single, .450)]
    [InlineData(SceneTask.Two, .820)]
    [InlineData(SceneTask.Counting, .487)]
    [InlineData(SceneTask.Colours, .450)]
    [InlineData(SceneTask.Position, .593)]
    [InlineData(SceneTask.Attribution, .752)]
    public void Expected_diversity_of_real_held_out_pictures(SceneTask task, double diversity) =>
        Assert.Equal(diversity, PromptSet.HeldOut.Of(task).ToArray().Average(ExpectedDiversity), 0.001);

    [Fact]
    public void Blank_pictures_report_what_blankness_earns()
    {
        var set = new EvaluationSet(PromptSet.HeldOut, 2, 1);
        int[] codes = new int[set.Count * 64];
        codes.AsSpan().Fill(430);
        EvaluationReport report = set.Report(_layout, codes);
        double[] adherence = [1 / 3.0, 1 / 3.0, 1 / 3.0, 1 / 3.0, 1 / 4.0, 1 / 5.0];
        for (int task = 0; task < 6; task++)
        {
            TaskScores scores = report.Of((SceneTask)task);
            Assert.Equal(adherence[task], scores.Adherence, 1e-12);
            Assert.Equal((0.0, 1.0, 0.125), (scores.Judge, scores.Fidelity, scores.Diversity));
        }

        Assert.Equal(adherence.Average(), report.Mean.Adherence, 1e-12);
    }

    [Fact]
    public void Half_right_at_768_pictures_has_a_standard_error_of_about_18_thousandths()
    {
        var set = new EvaluationSet(PromptSet.HeldOut, 16, 1);
        int[] codes = new int[set.Count * 64];
        codes.AsSpan().Fill(430);
        var composer = new SceneComposer(_layout);
        var random = new RandomSequence(1, RandomStream.Pictures);
        for (int i = 0; i < set.Count; i += 2)
        {
            composer.Compose(set.Prompts[i], ref random, codes.AsSpan(i * 64, 64));
        }

        EvaluationReport report = set.Report(_layout, codes);
        Assert.Equal(0.5, report.Mean.Judge, 1e-12);
        Assert.Equal(0.018, report.JudgeStandardError, 0.0005);
    }

    [Fact]
    public void Wrong_sizes_are_refused()
    {
        var set = new EvaluationSet(PromptSet.HeldOut, 1, 1);
        Assert.Throws<ArgumentException>(() => set.Report(_layout, new int[64]));
        Assert.Throws<ArgumentOutOfRangeException>(() => new EvaluationSet(PromptSet.HeldOut, 0, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new EvaluationSet(PromptSet.HeldOut, 1, 1, 0));
    }

    /// <summary>Expected share of distinct pictures among eight, when a prompt has M equally likely ones: M (1 - (1 - 1/M)^8) / 8.</summary>
    private static double ExpectedDiversity(Prompt prompt)
    {
        double placements = prompt.Task switch
        {
            SceneTask.Two or SceneTask.Attribution => 12,
            SceneTask.Counting => prompt.Count switch { 2 => 6, 4 => 1, _ => 4 },
            _ => 4,
        };
        int free = prompt.FirstColour >= 0 ? 0 : (prompt.First >= 14 ? Math.Max(prompt.Count, 1) : 0) + (prompt.Second >= 14 ? 1 : 0);
        double pictures = placements * Math.Pow(6, free);
        return pictures * (1 - Math.Pow(1 - (1 / pictures), 8)) / 8;
    }
}
