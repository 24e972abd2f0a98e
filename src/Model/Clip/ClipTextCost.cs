namespace CoGrpo.Model.Clip;

/// <summary>Multiply-adds of one forward pass of a <see cref="ClipTextEncoder"/> per prompt: matrix products and attention.</summary>
public static class ClipTextCost
{
    /// <summary>
    /// Per layer, with H the width, I the MLP width and L the tokens: L·(4·H² + 2·H·I) for the linears and 2·L²·H for attention (the causal half is
    /// counted in full); then the pooled projection.
    /// </summary>
    public static double ForwardMacs(ClipTextConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        double h = config.HiddenSize;
        double l = config.MaxPositionEmbeddings;
        double layer = (l * ((4 * h * h) + (2 * h * config.IntermediateSize))) + (2 * l * l * h);
        return (config.NumHiddenLayers * layer) + (h * config.ProjectionDim);
    }
}
