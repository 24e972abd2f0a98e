namespace CoGrpo.Model.Meissonic;

/// <summary>
/// Multiply-adds of one forward pass of a <see cref="MeissonicTransformer"/> per image (specs/meissonic.md 8): matrix products,
/// convolutions and attention; norms, activations and embeddings are left out. One multiply-add is two operations; forward and
/// backward together cost three forwards.
/// </summary>
public static class TransformerCost
{
    private const int Sinusoid = 2 * SinusoidFrequencies.Count;

    /// <summary>
    /// With C the model width, L text tokens, n image tokens behind the down block, S = L + n: per block 12·C²·S for the linears and
    /// 2·S²·C for attention; 12·C² (double) or 3·C² (single) for the modulations; the rest as the layers stand in the network.
    /// </summary>
    /// <param name="config">The architecture.</param>
    /// <param name="text">L.</param>
    /// <param name="height">Rows of the code grid.</param>
    /// <param name="width">Columns of the code grid.</param>
    /// <param name="headRows">Codes whose logits are wanted, a mean over images if it is no whole number. With an up block a code asked for costs its
    /// whole token, so this counts at most one token per code.</param>
    public static double ForwardMacs(TransformerConfig config, int text, int height, int width, double headRows)
    {
        ArgumentNullException.ThrowIfNull(config);
        double c = config.Width;
        double codes = (double)height * width;
        double n = config.Downsample ? codes / 4 : codes;
        double s = text + n;
        double headTokens = Math.Min(n, headRows);
        double condition =
            ((config.PooledProjectionDim + (MeissonicTransformer.MicroConditionCount * Sinusoid)) * c) + (c * c) + (Sinusoid * c) + (3 * c * c);
        double stem = (c * c * codes) + (config.Downsample ? 4 * c * c * n : 0) + (c * c * n) + (config.JointAttentionDim * c * text);
        double block = (12 * c * c * s) + (2 * s * s * c);
        double blocks = (config.NumLayers * (block + (12 * c * c))) + (config.NumSingleLayers * (block + (3 * c * c)));
        double head =
            (c * c * headTokens) + (config.Upsample ? 4 * c * c * headTokens : 0) + (c * c * headRows) + (c * config.CodebookSize * headRows);
        return condition + stem + blocks + head;
    }
}
