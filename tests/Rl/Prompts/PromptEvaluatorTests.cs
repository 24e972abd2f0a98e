using CoGrpo.Rl;
using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.Evaluation;
using CoGrpo.Rl.Prompts;

namespace CoGrpo.Tests.Rl.Prompts;

/// <summary>The held-out evaluation of runs on prompts: numbers that can be computed by hand, and what they may depend on.</summary>
public sealed class PromptEvaluatorTests
{
    private static readonly TextPrompt[] Prompts = [.. Enumerable.Range(0, 40).Select(i => new TextPrompt(new string('x', i + 1)))];

    [Fact]
    public void Means_and_errors_are_those_over_prompts()
    {
        using TinyRun run = new();
        PromptEvaluator evaluator = Of(run, new() { PromptsPerTask = 40, Samples = 2 });
        Score[] scores = [.. evaluator.Run(2, null, default).Means];
        Assert.Equal(["length", "share", "diversity"], scores.Select(score => score.Name));
        Assert.Equal(20.5, scores[0].Value, 12);
        Assert.Equal(Math.Sqrt(Enumerable.Range(1, 40).Sum(i => (i - 20.5) * (i - 20.5)) / 39 / 40), scores[0].Error, 12);
        Assert.InRange(scores[1].Value, 0.1, 0.6);
        Assert.InRange(scores[2].Value, 0.5, 1);
        Assert.True(double.IsNaN(scores[2].Error));
        Assert.Equal((4 * 8) + (5 * 8), evaluator.Grid().Width);
    }

    [Fact]
    public void The_same_prompts_and_noise_every_time_on_any_number_of_lanes()
    {
        using TinyRun run = new(), wide = new(lanes: 2, sampleMicroBatch: 3);
        EvaluationConfiguration some = new() { PromptsPerTask = 6, Samples = 3, Seed = 4 };
        PromptEvaluator evaluator = Of(run, some);
        Assert.Equal(6, evaluator.Count);
        ScoreSheet first = evaluator.Run(3, null, default);
        byte[] grid = evaluator.Grid().Pixels;
        Assert.Equal(first.Means, evaluator.Run(3, null, default).Means);
        Assert.Equal(grid, evaluator.Grid().Pixels);
        Assert.Equal(first.Means, Of(wide, some).Run(3, null, default).Means);
        Assert.NotEqual(first.Means[0], Of(run, some with { Seed = 5 }).Run(3, null, default).Means[0]);
        Assert.Equal(5, Of(run, some, Prompts[..5]).Count);
    }

    [Fact]
    public void One_sample_has_no_diversity_one_prompt_no_error_and_a_stop_is_heard()
    {
        using TinyRun run = new();
        ScoreSheet sheet = Of(run, new() { PromptsPerTask = 1, Samples = 1 }).Run(2, null, default);
        Assert.Equal(2, sheet.Means.Count);
        Assert.All(sheet.Means, score => Assert.True(double.IsNaN(score.Error)));
        Assert.Throws<OperationCanceledException>(() => Of(run, new()).Run(2, null, new CancellationToken(canceled: true)));
    }

    private static PromptEvaluator Of(TinyRun run, EvaluationConfiguration evaluation, TextPrompt[]? prompts = null) =>
        new(
            run.Lanes,
            run.World,
            prompts ?? Prompts,
            [new LengthReward(), new CodeShareReward()],
            new GreyPictures(),
            new CodeDiversityWatch(),
            evaluation
        );

    private sealed class LengthReward : IReward
    {
        public string Name => "length";

        public void Score(RewardBatch batch, Span<double> scores, CancellationToken cancellation = default)
        {
            for (int b = 0; b < batch.Count; b++)
            {
                scores[b] = batch.Prompt(b).Text.Length;
            }
        }
    }
}
