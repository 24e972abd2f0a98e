using CoGrpo.Model.Clip;
using CoGrpo.Model.Rewards;
using CoGrpo.Tests.Fixtures;

namespace CoGrpo.Tests.Model;

/// <summary>The reward networks against golden values of the original code.</summary>
[Trait("Category", "fixtures")]
public sealed class RewardParityTests
{
    public static TheoryData<string> ClipCases => ClipParity.Cases;

    public static TheoryData<string> ImageRewardCases => ImageRewardParity.Cases;

    [Theory]
    [MemberData(nameof(ClipCases))]
    public void Towers_and_scores_of_CLIP_are_within_the_original_codes_error(string folder)
    {
        using var scope = new ModelScope();
        ClipParity.Check(scope, folder);
    }

    [Theory]
    [MemberData(nameof(ImageRewardCases))]
    public void Encoders_and_reward_of_ImageReward_are_within_the_original_codes_error(string folder)
    {
        using var scope = new ModelScope();
        ImageRewardParity.Check(scope, folder);
    }

    [Theory]
    [MemberData(nameof(ClipCases))]
    public void Pictures_and_prompts_of_CLIP_have_the_same_bits_in_any_batch(string folder)
    {
        using var scope = new ModelScope();
        FixtureFile inputs = ClipParity.Inputs(folder);
        float[] pixels = inputs.Floats("pixels");
        int[][] prompts = [.. inputs.Ints("input_ids").Chunk(inputs.Shape("input_ids")[1])];
        int[] promptOf = [.. Enumerable.Range(0, inputs.Shape("pixels")[0]).Select(i => i % 3)];
        List<double[]> scores = [];
        foreach (int batch in (int[])[32, 1, 3])
        {
            using HpsModel model = new(ClipParity.Model(scope, folder, batch), HpsVersion.V20);
            double[] found = new double[promptOf.Length];
            model.Score(pixels, prompts, promptOf, found);
            Assert.Equal(promptOf.Distinct().Count(), model.Clip.PromptsKept);
            scores.Add(found);
        }

        Assert.Equal(promptOf.Length, scores[0].Distinct().Count());
        Assert.Equal(scores[0], scores[1]);
        Assert.Equal(scores[0], scores[2]);
    }

    [Theory]
    [MemberData(nameof(ImageRewardCases))]
    public void A_picture_of_ImageReward_has_the_same_bits_in_any_batch_and_beside_any_prompt(string folder)
    {
        using var scope = new ModelScope();
        using ImageRewardModel model = ImageRewardParity.Model(scope, folder);
        FixtureFile inputs = ImageRewardParity.Inputs(folder);
        int[][] prompts = ImageRewardParity.Prompts(inputs);
        float[] pixels = inputs.Floats("pixels");
        int perPicture = pixels.Length / inputs.Shape("pixels")[0];
        int[] promptOf = [1, 1, 1, 0];
        double[] together = new double[4], small = new double[4];
        model.Score(pixels, prompts, promptOf, together);
        using ImageRewardModel split = new(model.Config, scope.Backend, share: model.Parameters) { BatchSize = 2 };
        split.Score(pixels, prompts, promptOf, small);
        Assert.Equal(together, small);
        for (int i = 0; i < 4; i++)
        {
            double[] alone = new double[1];
            model.Score(pixels.AsMemory(i * perPicture, perPicture), [prompts[promptOf[i]]], [0], alone);
            Assert.Equal(together[i], alone[0]);
        }

        Assert.Equal(4, together.Distinct().Count());
    }
}
