namespace CoGrpo.Model.Images;

/// <summary>A grid of the picture's pixels that is stored as a picture of its own: every <c>StepX</c>-th column from <c>X</c>, rows alike.</summary>
internal readonly record struct PngPass(int X, int Y, int StepX, int StepY)
{
    private static readonly PngPass[] WholePicture = [new(0, 0, 1, 1)];

    private static readonly PngPass[] Adam7Passes =
    [
        new(0, 0, 8, 8), new(4, 0, 8, 8), new(0, 4, 4, 8), new(2, 0, 4, 4), new(0, 2, 2, 4), new(1, 0, 2, 2), new(0, 1, 1, 2),
    ];

    public static ReadOnlySpan<PngPass> Whole => WholePicture;

    public static ReadOnlySpan<PngPass> Adam7 => Adam7Passes;

    /// <summary>Columns and rows of the grid; either may be 0 in a small picture, and then nothing is stored.</summary>
    public (int Width, int Height) Size(PngHeader header) =>
        ((header.Width - X + StepX - 1) / StepX, (header.Height - Y + StepY - 1) / StepY);
}
