namespace CoGrpo.Rl.EmojiScenes;

/// <summary>What a cell shows: the nearest tile and how far from it the cell is.</summary>
/// <param name="Tile">The tile with the least distance, the lowest id of equals; <see cref="SceneTiles.Blank"/> for an empty cell.</param>
/// <param name="Difference">Sum of absolute differences to that tile over the 768 bytes of the cell; an integer, so comparisons are exact.</param>
public readonly record struct SceneCell(int Tile, int Difference)
{
    /// <summary>The distance up to which a cell counts as clean.</summary>
    public const double CleanDistance = 0.01;

    // 0.01 x 768 x 255 = 1958.4
    private const int CleanDifference = 1958;

    /// <summary>d*: the mean absolute difference to the nearest tile on [0,1].</summary>
    public double Distance => Difference / (255.0 * SceneTiles.Bytes);

    /// <summary>True when <see cref="Distance"/> is at most <see cref="CleanDistance"/>.</summary>
    public bool IsClean => Difference <= CleanDifference;
}
