using CoGrpo.Runtime.Randomness;

namespace CoGrpo.Rl.EmojiScenes;

/// <summary>
/// Draws real pictures of prompts: uniform placement of what the prompt names, everything else blank, straight to codes. Holds no mutable
/// state (safe to share between threads) and allocates nothing. Draws come in a fixed order: the cells, then, from the first thing to
/// the last, a colour for each shape that the prompt names without one.
/// </summary>
public sealed class SceneComposer(SceneLayout layout)
{
    /// <summary>The grid of cells.</summary>
    public SceneLayout Layout { get; } = layout ?? throw new ArgumentNullException(nameof(layout));

    /// <summary>Places the prompt's things and writes the picture's codes, [N].</summary>
    /// <exception cref="ArgumentException"><paramref name="codes"/> does not hold N codes.</exception>
    public void Compose(Prompt prompt, ref RandomSequence random, Span<int> codes)
    {
        Span<int> tiles = stackalloc int[Layout.CellCount];
        Place(prompt, ref random, tiles);
        Draw(tiles, codes);
    }

    /// <summary>Places the prompt's things: the tile of each cell.</summary>
    /// <exception cref="ArgumentException"><paramref name="tiles"/> does not have one element per cell.</exception>
    public void Place(Prompt prompt, ref RandomSequence random, Span<int> tiles)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        CheckTiles(tiles.Length);
        tiles.Fill(SceneTiles.Blank);
        int cells = Layout.CellCount;
        switch (prompt.Task)
        {
            case SceneTask.Single or SceneTask.Colours:
                int only = random.Next(cells);
                tiles[only] = Tile(prompt.First, prompt.FirstColour, ref random);
                break;

            case SceneTask.Counting:
                Span<int> order = stackalloc int[cells];
                for (int i = 0; i < cells; i++)
                {
                    order[i] = i;
                }

                for (int i = 0; i < prompt.Count; i++)
                {
                    int j = i + random.Next(cells - i);
                    (order[i], order[j]) = (order[j], order[i]);
                }

                for (int i = 0; i < prompt.Count; i++)
                {
                    tiles[order[i]] = Tile(prompt.First, -1, ref random);
                }

                break;

            default:
                int first;
                int second;
                if (prompt.Task == SceneTask.Position)
                {
                    ReadOnlySpan<int> pairs = Layout.Pairs(prompt.RelationIndex);
                    (first, second) = Math.DivRem(pairs[random.Next(pairs.Length)], cells);
                }
                else
                {
                    first = random.Next(cells);
                    second = random.Next(cells - 1);
                    second += second >= first ? 1 : 0;
                }

                tiles[first] = Tile(prompt.First, prompt.FirstColour, ref random);
                tiles[second] = Tile(prompt.Second, prompt.SecondColour, ref random);
                break;
        }
    }

    /// <summary>Writes the codes of a picture with the given tile in each cell.</summary>
    /// <exception cref="ArgumentException">A length is wrong or a tile is not in 0..32.</exception>
    public void Draw(ReadOnlySpan<int> tiles, Span<int> codes)
    {
        CheckTiles(tiles.Length);
        Layout.CheckCodes(codes.Length);
        for (int cell = 0; cell < tiles.Length; cell++)
        {
            ReadOnlySpan<int> tile = SceneTiles.Codes(tiles[cell]);
            for (int row = 0; row < SceneTiles.PatchesPerSide; row++)
            {
                int place = row * SceneTiles.PatchesPerSide;
                tile.Slice(place, SceneTiles.PatchesPerSide).CopyTo(codes[Layout.CodeIndex(cell, place)..]);
            }
        }
    }

    private static int Tile(int kind, int colour, ref RandomSequence random) =>
        SceneTiles.TileOf(kind, kind >= SceneWords.ObjectCount && colour < 0 ? random.Next(SceneWords.ColourCount) : colour);

    private void CheckTiles(int length)
    {
        if (length != Layout.CellCount)
        {
            throw new ArgumentException($"tiles: wanted one for each of the {Layout.CellCount} cells, got {length}");
        }
    }
}
