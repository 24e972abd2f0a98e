namespace CoGrpo.Model.Images;

/// <summary>
/// Preprocessing of HPSv2 (specs/reward-models.md 2.4): as an fp32 tensor, the longer side to S with PyTorch's bicubic resizing, black around it to S
/// x S, normalised by CLIP's statistics. Values outside 0 to 1 stay as they are.
/// </summary>
/// <remarks>
/// The original leaves a picture alone whose longer side is S already, and so cannot score one that is not square; here it is padded like every
/// other.
/// </remarks>
public sealed class PadPreprocessing : IImagePreprocessing
{
    private readonly bool _antialias;

    /// <summary>For models of <paramref name="size"/> x <paramref name="size"/> pixels.</summary>
    /// <param name="antialias">As torchvision from 0.17 on; without, as before that, when HPSv2's published figures were made. Scores differ.</param>
    /// <param name="size">S.</param>
    /// <exception cref="ArgumentOutOfRangeException">The size is less than 1.</exception>
    public PadPreprocessing(bool antialias, int size = 224)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
        (_antialias, Size) = (antialias, size);
    }

    /// <inheritdoc/>
    public int Size { get; }

    /// <inheritdoc/>
    public void Apply(RgbImage image, Span<float> pixels)
    {
        ResizeAndPad(image, pixels);
        int plane = Size * Size;
        for (int i = 0; i < pixels.Length; i++)
        {
            pixels[i] = ChannelNormalization.Clip(pixels[i], i / plane);
        }
    }

    /// <summary>As <see cref="Apply"/>, not normalised.</summary>
    internal void ResizeAndPad(RgbImage image, Span<float> pixels)
    {
        ArgumentNullException.ThrowIfNull(image);
        ChannelNormalization.CheckRoom(pixels, Size);
        double scale = Size / (double)Math.Max(image.Width, image.Height);
        int width = (int)Math.Round(image.Width * scale, MidpointRounding.ToEven);
        int height = (int)Math.Round(image.Height * scale, MidpointRounding.ToEven);
        if (width == 0 || height == 0)
        {
            throw new ModelException(
                $"picture {image.Width} x {image.Height}: wanted one that has a pixel left with its longer side at {Size}, got {width} x {height}; cut it");
        }

        float[] resized = TensorResize.Bicubic(image, width, height, _antialias);
        int left = (Size - width) / 2;
        int top = (Size - height) / 2;
        pixels.Clear();
        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++)
            {
                for (int c = 0; c < 3; c++)
                {
                    pixels[(((c * Size) + top + y) * Size) + left + x] = resized[(TensorResize.Stride * ((y * width) + x)) + c];
                }
            }
        }
    }
}
