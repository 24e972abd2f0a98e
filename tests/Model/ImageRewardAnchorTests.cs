using CoGrpo.Model.Images;
using CoGrpo.Rl;
using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.Prompts;
using CoGrpo.Rl.Rewards;
using CoGrpo.Runtime.Backends.Cpu;
using Xunit.Abstractions;

namespace CoGrpo.Tests.Model;

/// <summary>The scores in ImageReward's README, by the published weights on its four pictures, where a folder holds them.</summary>
public sealed class ImageRewardAnchorTests(ITestOutputHelper output)
{
    private const string Variable = "COGRPO_IMAGEREWARD";

    /// <summary>The README's prompt and scores; it says that they may differ slightly by device.</summary>
    private const string Prompt = "a painting of an ocean with clouds and birds, day time, low depth field effect";

    private static readonly double[] Published = [0.5811622738838196, 0.2745276093482971, -1.4131819009780884, -2.029569625854492];

    [AnchorFact]
    public void Published_pictures_have_the_published_scores()
    {
        string folder = Environment.GetEnvironmentVariable(Variable)!;
        string Find(string what, params string[] names) =>
            names.Select(name => Path.Combine(folder, name)).FirstOrDefault(File.Exists)
            ?? throw new FileNotFoundException(
                $"{Variable}: wanted {what} ({string.Join(" or ", names)}) in {folder}, found none; fetch it from the model's page"
            );
        string weights = Find("the published weights", "ImageReward.pt", "ImageReward.safetensors");
        RgbImage[] pictures = [.. Enumerable.Range(1, 4).Select(i => PictureFile.Read(Find("the README's picture", $"{i}.webp", $"{i}.png")))];
        using CpuBackend backend = new(Environment.ProcessorCount);
        using var reward = (NetworkReward)
            RewardRegistry.Create(new RewardConfiguration { Name = RewardName.ImageReward, Weights = weights }, backend);
        double[] scores = new double[4];
        reward.Score(new RewardBatch([.. pictures.Select(_ => (IPrompt)new TextPrompt(Prompt))], pictures), scores);
        output.WriteLine($"scores {string.Join(", ", scores)}");
        for (int i = 0; i < 4; i++)
        {
            Assert.Equal(Published[i], scores[i], 5e-4);
        }
    }

    /// <summary>
    /// Runs where the variable names a folder with ImageReward.pt or a safetensors copy and 1.webp to 4.webp or .png; is told as skipped otherwise.
    /// </summary>
    [AttributeUsage(AttributeTargets.Method)]
    private sealed class AnchorFactAttribute : FactAttribute
    {
        public AnchorFactAttribute() => Skip = Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } ? null
            : $"Did not run: {Variable} names no folder with ImageReward.pt and the pictures 1 to 4 of ImageReward's README, so its published scores were not checked.";
    }
}
