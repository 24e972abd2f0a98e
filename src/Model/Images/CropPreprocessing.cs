namespace CoGrpo.Model.Images;

/// <summary>
/// Preprocessing of CLIP, ImageReward and MPS (specs/reward-models.md 1.4): the shorter side to S with Pillow's bicubic resizing, the middle S x S
/// pixels, normalised by CLIP's statistics. Equal to the original to the last bit.
/// </summary>
public sealed class CropPreprocessing : IImagePreprocessing
{
    /// <summary>For models of <paramref name="size"/> x <paramref name="size"/> pixels.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The size is less than 1.</exception>
    public CropPreprocessing(int size = 224)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
        Size = size;
    }

    /// <inheritdoc/>
    public int Size { get; }

    /// <inheritdoc/>
    public void Apply(RgbImage image, Span<float> pixels)
    {
        ArgumentNullException.ThrowIfNull(image);
        ChannelNormalization.CheckRoom(pixels, Size);
        byte[] square = Crop(Resize(image)).Pixels;
        int plane = Size * Size;
        for (int i = 0; i < plane; i++)
        {
            for (int c = 0; c < 3; c++)
            {
                pixels[(c * plane) + i] = ChannelNormalization.Clip(square[(3 * i) + c] / 255f, c);
            }
        }
    }

    /// <summary>The picture with its shorter side S and its longer one S long / short, rounded down.</summary>
    internal RgbImage Resize(RgbImage image)
    {
        int shorter = Math.Min(image.Width, image.Height);
        int longer = (int)Math.Min(int.MaxValue, (long)Size * Math.Max(image.Width, image.Height) / shorter);
        (int width, int height) = image.Width <= image.Height ? (Size, longer) : (longer, Size);
        return 3L * width * height <= Array.MaxLength ? PillowResize.Bicubic(image, width, height)
            : throw new ModelException(
                $"picture {image.Width} x {image.Height}: wanted one whose shorter side can become {Size} pixels, got {width} x {height}; cut it");
    }

    /// <summary>The middle S x S pixels; an odd remainder is halved as Python rounds, to the even number.</summary>
    internal RgbImage Crop(RgbImage image)
    {
        int left = (int)Math.Round((image.Width - Size) / 2.0, MidpointRounding.ToEven);
        int top = (int)Math.Round((image.Height - Size) / 2.0, MidpointRounding.ToEven);
        var result = new RgbImage(Size, Size);
        for (int y = 0; y < Size; y++)
        {
            image.Pixels.AsSpan(3 * (((top + y) * image.Width) + left), 3 * Size).CopyTo(result.Pixels.AsSpan(3 * Size * y));
        }

        return result;
    }
}
