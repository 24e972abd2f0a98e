using CoGrpo.Rl.Benchmarks;
using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.Rewards;

namespace CoGrpo.Rl.Serving;

/// <summary>A reward as tables show it.</summary>
/// <param name="Name">Title, with the version and the factor that published tables have.</param>
/// <param name="Factor">Of the published tables.</param>
/// <param name="Digits">Decimals that are worth showing.</param>
public sealed record PictureScore(string Name, double Factor, int Digits)
{
    /// <summary>
    /// How <paramref name="reward"/> is shown. The Human Preference Score is a cosine that tables give times 100; the CLIP score has that factor
    /// itself.
    /// </summary>
    public static PictureScore Of(RewardConfiguration reward)
    {
        ArgumentNullException.ThrowIfNull(reward);
        return reward.Name switch
        {
            RewardName.ImageReward => new("ImageReward", 1, 4),
            RewardName.HpsV2 => new(reward.Version == HpsVersionName.V20 ? "HPS v2.0 x100" : "HPS v2.1 x100", 100, 2),
            RewardName.ClipScore => new("CLIP score", 1, 2),
            RewardName.Mps => new("MPS", 1, 2),
            RewardName.Remote => new($"remote {reward.Url}", 1, 4),
            _ => new(RewardRegistry.NameOf(reward.Name), 1, 4),
        };
    }

    /// <summary>The row of an evaluation.</summary>
    /// <param name="schedule">The schedule's title.</param>
    /// <param name="steps">T.</param>
    /// <param name="values">Scores as the reward gives them, <paramref name="samples"/> for each prompt next to each other.</param>
    /// <param name="samples">Pictures per prompt.</param>
    /// <param name="styles">Parts with means of their own.</param>
    public PictureEvaluationRow Row(string schedule, int steps, IReadOnlyList<double> values, int samples, IReadOnlyList<PromptStyle> styles)
    {
        double[] prompts = [.. values.Chunk(samples).Select(chunk => chunk.Average())];
        double mean = values.Average(), center = prompts.Average();

        // Pictures of a prompt are not independent.
        double error =
            prompts.Length < 2
                ? double.NaN
                : Math.Sqrt(prompts.Sum(value => (value - center) * (value - center)) / (prompts.Length - 1) / prompts.Length);
        return new PictureEvaluationRow(
            schedule,
            steps,
            this,
            values.Count,
            Factor * mean,
            Factor * error,
            [.. styles.Select(style => Factor * HpdBenchmark.StyleScore([.. values.Skip(style.First * samples).Take(style.Count * samples)]))]
        );
    }
}
