using CoGrpo.Model.Images;

namespace CoGrpo.Model.TextToImage;

/// <summary>What <see cref="TextToImagePipeline"/> is to draw.</summary>
public sealed record PictureRequest
{
    /// <summary>What the pictures show; one or more.</summary>
    public required IReadOnlyList<string> Prompts { get; init; }

    /// <summary>What guidance leads away from; empty for the plain unconditional pass.</summary>
    public string NegativePrompt { get; init; } = "";

    /// <summary>Pictures per prompt, next to each other in the result.</summary>
    public int PicturesPerPrompt { get; init; } = 1;

    /// <summary>
    /// Number of the first picture: picture i draws the noise of trajectory this + i, so that a long list of pictures can be drawn in parts.
    /// </summary>
    public int FirstPicture { get; init; }

    /// <summary>T.</summary>
    public int Steps { get; init; } = 48;

    /// <summary>One seed, one set of pictures.</summary>
    public ulong Seed { get; init; }

    /// <summary>Null, or the picture to start from, of the pipeline's size.</summary>
    public RgbImage? Source { get; init; }

    /// <summary>
    /// With a <see cref="Source"/>: how much of the schedule is run, in (0,1]. 1 ignores what the source shows (outside of a <see cref="Mask"/>); the
    /// first (1 - strength) T steps count as done, each code of the source stays known with the share that the schedule would have decoded by then.
    /// </summary>
    public double Strength { get; init; } = 1;

    /// <summary>
    /// Null, or a picture of the source's size whose bright pixels (half or more of full) are to be drawn anew; every code that holds one is. The
    /// others keep the source's code at any strength. A source that is padded, with a mask over the padding, is out-painting.
    /// </summary>
    public RgbImage? Mask { get; init; }

    /// <summary>Null for those of the pipeline's size, or width, height, crop x, crop y and aesthetic score.</summary>
    public IReadOnlyList<float>? MicroConditions { get; init; }
}
