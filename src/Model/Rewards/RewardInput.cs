namespace CoGrpo.Model.Rewards;

/// <summary>What every reward network checks of its arguments.</summary>
internal static class RewardInput
{
    /// <summary>Pixels, prompts and scores are those of as many pictures as <paramref name="promptOf"/> names prompts for.</summary>
    /// <exception cref="ModelException">They are not.</exception>
    public static void Check(
        string network,
        int imageSize,
        ReadOnlyMemory<float> pixels,
        IReadOnlyList<int[]> prompts,
        ReadOnlySpan<int> promptOf,
        ReadOnlySpan<double> scores
    )
    {
        ArgumentNullException.ThrowIfNull(prompts);
        int pictures = promptOf.Length;
        if (pixels.Length != (long)pictures * 3 * imageSize * imageSize || scores.Length != pictures)
        {
            throw new ModelException(
                $"{network}: wanted 3 x {imageSize} x {imageSize} pixels and a score for each of {pictures} pictures, got {pixels.Length} pixels and {scores.Length} scores; preprocess every picture for this network");
        }

        foreach (int prompt in promptOf)
        {
            if ((uint)prompt >= (uint)prompts.Count)
            {
                throw new ModelException(
                    $"{network}: wanted places of prompts in [0,{prompts.Count}), got {prompt}; give every picture one of the prompts"
                );
            }
        }
    }
}
