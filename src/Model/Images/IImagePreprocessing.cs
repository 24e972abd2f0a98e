namespace CoGrpo.Model.Images;

/// <summary>
/// What a scoring model does to a picture before its first layer. Implementations hold no mutable state and may be shared between threads.
/// </summary>
public interface IImagePreprocessing
{
    /// <summary>Width and height of the result, S.</summary>
    int Size { get; }

    /// <summary>Writes the normalised channels of <paramref name="image"/>, [3,S,S]: red, green, blue, each row by row.</summary>
    /// <exception cref="ArgumentException"><paramref name="pixels"/> does not hold 3 S S values.</exception>
    /// <exception cref="ModelException">The picture's sides are so unequal that its shorter one would have no pixel.</exception>
    void Apply(RgbImage image, Span<float> pixels);
}
