using CoGrpo.Model.Tokenizers;

namespace CoGrpo.Rl.EmojiScenes;

/// <summary>The grid of cells of a picture: 2 x 2 (the standard, 64 codes) or 3 x 3 (144 codes). Cells are numbered row by row.</summary>
public sealed class SceneLayout
{
    private readonly int[][] _pairs;

    private SceneLayout(int side)
    {
        Side = side;
        Tokenizer = new PatchTokenizer(SceneTiles.Codebook, side * SceneTiles.PatchesPerSide, side * SceneTiles.PatchesPerSide);
        _pairs = new int[4][];
        for (int relation = 0; relation < 4; relation++)
        {
            var pairs = new List<int>();
            for (int pair = 0; pair < CellCount * CellCount; pair++)
            {
                if (Satisfies((Relation)relation, pair / CellCount, pair % CellCount))
                {
                    pairs.Add(pair);
                }
            }

            _pairs[relation] = [.. pairs];
        }
    }

    /// <summary>Four cells, 32 x 32 px, N = 64.</summary>
    public static SceneLayout TwoByTwo { get; } = new(2);

    /// <summary>Nine cells, 48 x 48 px, N = 144.</summary>
    public static SceneLayout ThreeByThree { get; } = new(3);

    /// <summary>Cells in a row or column.</summary>
    public int Side { get; }

    /// <summary>Cells of a picture.</summary>
    public int CellCount => Side * Side;

    /// <summary>Codes of a picture, N.</summary>
    public int CodeCount => CellCount * SceneTiles.PatchesPerTile;

    /// <summary>Codes to pictures and back.</summary>
    public PatchTokenizer Tokenizer { get; }

    /// <summary>Index of the code at a place (0..15, row-major) of a cell.</summary>
    public int CodeIndex(int cell, int place) =>
        ((((cell / Side) * SceneTiles.PatchesPerSide) + (place / SceneTiles.PatchesPerSide)) * Side * SceneTiles.PatchesPerSide)
        + ((cell % Side) * SceneTiles.PatchesPerSide) + (place % SceneTiles.PatchesPerSide);

    /// <summary>True when cell <paramref name="first"/> stands in <paramref name="relation"/> to cell <paramref name="second"/>.</summary>
    public bool Satisfies(Relation relation, int first, int second) => relation switch
    {
        Relation.LeftOf => first % Side < second % Side,
        Relation.RightOf => first % Side > second % Side,
        Relation.Above => first / Side < second / Side,
        _ => first / Side > second / Side,
    };

    /// <summary>The ordered pairs of cells in a relation, each as first x <see cref="CellCount"/> + second, ascending.</summary>
    internal ReadOnlySpan<int> Pairs(int relation) => _pairs[relation];

    /// <summary>Fails unless a span holds the codes of one picture.</summary>
    internal void CheckCodes(int length)
    {
        if (length != CodeCount)
        {
            throw new ArgumentException($"codes: wanted {CodeCount} of a {Side} x {Side} scene, got {length}; pass one picture at a time");
        }
    }
}
