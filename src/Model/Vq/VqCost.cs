namespace CoGrpo.Model.Vq;

/// <summary>
/// Multiply-adds of one pass of a <see cref="VqModel"/> per picture as the layers stand in the published network (specs/meissonic.md 8): convolutions
/// alone. The decoder does fewer, because a convolution of an enlarged map takes 4 taps per result here instead of 9.
/// </summary>
public static class VqCost
{
    /// <summary>Of the encoder for <paramref name="height"/> x <paramref name="width"/> pixels, the codebook left out.</summary>
    public static double EncodeMacs(VqConfig config, int height, int width)
    {
        ArgumentNullException.ThrowIfNull(config);
        IReadOnlyList<int> channels = config.BlockOutChannels;
        double pixels = (double)height * width;
        double sum = 9.0 * config.InChannels * channels[0] * pixels;
        for (int level = 0; level < channels.Count; level++)
        {
            sum += Level(channels[Math.Max(0, level - 1)], channels[level], config.LayersPerBlock) * pixels;
            if (level < channels.Count - 1)
            {
                pixels /= 4;
                sum += 9.0 * channels[level] * channels[level] * pixels;
            }
        }

        return sum
            + (
                pixels
                * (
                    Level(channels[^1], channels[^1], 2)
                    + (9.0 * channels[^1] * config.LatentChannels)
                    + ((double)config.LatentChannels * config.CodeWidth)
                )
            );
    }

    /// <summary>
    /// Of the decoder for <paramref name="rows"/> x <paramref name="columns"/> codes. With <paramref name="performed"/> as many as are really done.
    /// </summary>
    public static double DecodeMacs(VqConfig config, int rows, int columns, bool performed = false)
    {
        ArgumentNullException.ThrowIfNull(config);
        int[] channels = [.. config.BlockOutChannels.Reverse()];
        double pixels = (double)rows * columns;
        double sum =
            pixels
            * (((double)config.LatentChannels * config.CodeWidth) + (9.0 * config.LatentChannels * channels[0]) + Level(channels[0], channels[0], 2));
        for (int level = 0; level < channels.Length; level++)
        {
            sum += Level(channels[Math.Max(0, level - 1)], channels[level], config.LayersPerBlock + 1) * pixels;
            if (level < channels.Length - 1)
            {
                pixels *= 4;
                sum += (performed ? 4.0 : 9.0) * channels[level] * channels[level] * pixels;
            }
        }

        return sum + (9.0 * channels[^1] * config.OutChannels * pixels);
    }

    /// <summary>Per pixel of a level: residual blocks, the first with a shortcut if the number of channels changes.</summary>
    private static double Level(double inputs, double outputs, int blocks) =>
        (9 * outputs * (inputs + outputs)) + (inputs == outputs ? 0 : inputs * outputs) + ((blocks - 1) * 18 * outputs * outputs);
}
