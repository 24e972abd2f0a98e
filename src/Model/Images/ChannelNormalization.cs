namespace CoGrpo.Model.Images;

/// <summary>(value - mean) / deviation per channel, in fp32.</summary>
internal static class ChannelNormalization
{
    private static readonly float[] Mean = [0.48145466f, 0.4578275f, 0.40821073f];
    private static readonly float[] Deviation = [0.26862954f, 0.26130258f, 0.27577711f];

    /// <summary>A value from 0 to 1 of channel 0, 1 or 2 with the statistics of CLIP's training pictures.</summary>
    public static float Clip(float value, int channel) => (value - Mean[channel]) / Deviation[channel];

    /// <summary>Checks the room for a result.</summary>
    public static void CheckRoom(Span<float> pixels, int size)
    {
        if (pixels.Length != 3L * size * size)
        {
            throw new ArgumentException(
                $"pixels: wanted room for {3L * size * size} values of [3,{size},{size}], got {pixels.Length}",
                nameof(pixels)
            );
        }
    }
}
