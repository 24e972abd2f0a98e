using CoGrpo.Model.Tokenizers;

namespace CoGrpo.Rl.EmojiScenes;

/// <summary>
/// The 33 tiles of 16 x 16 px: sprite ids 0..13 are the objects, 14 + 6 shape + colour the coloured shapes, 32 is blank (white).
/// The sprites are part of the assembly (data/emoji-scenes in the repository), composed on white.
/// </summary>
public static class SceneTiles
{
    /// <summary>Number of tiles, blank included.</summary>
    public const int Count = 33;

    /// <summary>The blank tile.</summary>
    public const int Blank = 32;

    /// <summary>Width and height of a tile in pixels.</summary>
    public const int Size = 16;

    /// <summary>Width and height of a patch in pixels.</summary>
    public const int PatchSize = 4;

    /// <summary>Patches in a row or column of a tile.</summary>
    public const int PatchesPerSide = Size / PatchSize;

    /// <summary>Patches of a tile.</summary>
    public const int PatchesPerTile = PatchesPerSide * PatchesPerSide;

    /// <summary>Bytes of a tile's pixels.</summary>
    public const int Bytes = Size * Size * 3;

    private const string Resource = "CoGrpo.Rl.EmojiScenes.sprites.rgba";
    private static readonly byte[] _pixels = Load();
    private static readonly int[] _codes;

    static SceneTiles()
    {
        Codebook = PatchCodebook.FromTiles(_pixels, Size, Size, PatchSize);
        _codes = new int[Count * PatchesPerTile];
        var tokenizer = new PatchTokenizer(Codebook, PatchesPerSide, PatchesPerSide);
        for (int tile = 0; tile < Count; tile++)
        {
            tokenizer.Encode(Pixels(tile), _codes.AsSpan(tile * PatchesPerTile, PatchesPerTile));
        }
    }

    /// <summary>The 431 distinct patches of the tiles; the white patch is the last code, 430, the mask id 431.</summary>
    public static PatchCodebook Codebook { get; }

    /// <summary>RGB of a tile, row-major.</summary>
    public static ReadOnlySpan<byte> Pixels(int tile) => _pixels.AsSpan(Checked(tile) * Bytes, Bytes);

    /// <summary>The 16 codes of a tile, row-major.</summary>
    public static ReadOnlySpan<int> Codes(int tile) => _codes.AsSpan(Checked(tile) * PatchesPerTile, PatchesPerTile);

    /// <summary>The kind 0..16 a tile shows, -1 for blank.</summary>
    public static int KindOf(int tile) => Checked(tile) switch
    {
        Blank => -1,
        < SceneWords.ObjectCount => tile,
        _ => SceneWords.ObjectCount + ((tile - SceneWords.ObjectCount) / SceneWords.ColourCount),
    };

    /// <summary>The colour 0..5 of a shape's tile, -1 for objects and blank.</summary>
    public static int ColourOf(int tile) =>
        Checked(tile) is < SceneWords.ObjectCount or Blank ? -1 : (tile - SceneWords.ObjectCount) % SceneWords.ColourCount;

    /// <summary>The tile of a kind; <paramref name="colour"/> counts for shapes only.</summary>
    public static int TileOf(int kind, int colour)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(kind);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(kind, SceneWords.KindCount);
        if (kind < SceneWords.ObjectCount)
        {
            return kind;
        }

        ArgumentOutOfRangeException.ThrowIfNegative(colour);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(colour, SceneWords.ColourCount);
        return SceneWords.ObjectCount + ((kind - SceneWords.ObjectCount) * SceneWords.ColourCount) + colour;
    }

    private static int Checked(int tile) => (uint)tile < Count
        ? tile
        : throw new ArgumentOutOfRangeException(nameof(tile), tile, $"tile: wanted 0..{Count - 1}, got {tile}");

    private static byte[] Load()
    {
        using Stream stream = typeof(SceneTiles).Assembly.GetManifestResourceStream(Resource)
            ?? throw new InvalidOperationException($"the assembly lacks its resource {Resource}; build it from the repository");
        byte[] rgba = new byte[Blank * Size * Size * 4];
        stream.ReadExactly(rgba);

        byte[] pixels = new byte[Count * Bytes];
        pixels.AsSpan().Fill(255);
        for (int pixel = 0; pixel < rgba.Length / 4; pixel++)
        {
            int alpha = rgba[(4 * pixel) + 3];
            for (int channel = 0; channel < 3; channel++)
            {
                pixels[(3 * pixel) + channel] = (byte)(((rgba[(4 * pixel) + channel] * alpha) + (255 * (255 - alpha)) + 127) / 255);
            }
        }

        return pixels;
    }
}
