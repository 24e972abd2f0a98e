using System.IO.Hashing;
using System.Numerics;

namespace CoGrpo.Model.Tokenizers;

/// <summary>
/// The distinct square RGB patches of a set of tiles, in lexicographic order of their bytes (row, column, channel): a lossless codebook
/// for pictures that are made of these tiles. The order depends on the patches alone, not on the order of the tiles. Immutable.
/// </summary>
public sealed class PatchCodebook
{
    private readonly byte[] _patches;

    // Open addressing, at most half full; holds code + 1, so 0 is a free slot.
    private readonly int[] _slots;

    private PatchCodebook(int patchSize, byte[] patches)
    {
        PatchSize = patchSize;
        PatchBytes = patchSize * patchSize * 3;
        _patches = patches;
        Count = patches.Length / PatchBytes;
        _slots = new int[(int)BitOperations.RoundUpToPowerOf2((uint)Count * 2)];
        for (int code = 0; code < Count; code++)
        {
            int slot = FirstSlot(Patch(code));
            while (_slots[slot] != 0)
            {
                slot = (slot + 1) & (_slots.Length - 1);
            }

            _slots[slot] = code + 1;
        }
    }

    /// <summary>Number of codes, V. The mask id is V.</summary>
    public int Count { get; }

    /// <summary>Width and height of a patch in pixels.</summary>
    public int PatchSize { get; }

    /// <summary>Bytes of a patch.</summary>
    public int PatchBytes { get; }

    /// <summary>
    /// The codebook of tiles that follow each other in <paramref name="tiles"/>, each <paramref name="tileHeight"/> x
    /// <paramref name="tileWidth"/> x 3 bytes, cut into patches from the top left.
    /// </summary>
    /// <exception cref="ArgumentException">The sizes do not fit each other, or there is no tile.</exception>
    public static PatchCodebook FromTiles(ReadOnlySpan<byte> tiles, int tileHeight, int tileWidth, int patchSize)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(tileHeight);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(tileWidth);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(patchSize);
        int tileBytes = tileHeight * tileWidth * 3;
        if (tiles.IsEmpty || tiles.Length % tileBytes != 0)
        {
            throw new ArgumentException($"tiles: wanted a multiple of {tileBytes} bytes ({tileHeight} x {tileWidth} x 3) and at least one, got " +
                $"{tiles.Length}; check the size of the tiles", nameof(tiles));
        }

        if (tileHeight % patchSize != 0 || tileWidth % patchSize != 0)
        {
            throw new ArgumentException($"patchSize: wanted a divisor of {tileHeight} and {tileWidth}, got {patchSize}; choose another patch size",
                nameof(patchSize));
        }

        var distinct = new SortedSet<byte[]>(Comparer<byte[]>.Create((a, b) => a.AsSpan().SequenceCompareTo(b)));
        for (int at = 0; at < tiles.Length; at += tileBytes)
        {
            for (int y = 0; y < tileHeight; y += patchSize)
            {
                for (int x = 0; x < tileWidth; x += patchSize)
                {
                    byte[] patch = new byte[patchSize * patchSize * 3];
                    CopyOut(tiles.Slice(at, tileBytes), tileWidth, y, x, patchSize, patch);
                    distinct.Add(patch);
                }
            }
        }

        return new PatchCodebook(patchSize, distinct.SelectMany(patch => patch).ToArray());
    }

    /// <summary>The bytes of a code: <see cref="PatchSize"/> rows of <see cref="PatchSize"/> RGB pixels.</summary>
    /// <exception cref="ArgumentException"><paramref name="code"/> is outside [0, <see cref="Count"/>).</exception>
    public ReadOnlySpan<byte> Patch(int code)
    {
        if ((uint)code >= (uint)Count)
        {
            throw new ArgumentException(code == Count
                ? $"code: wanted one in [0,{Count}), got the mask {code}; finish sampling before looking at the picture"
                : $"code: wanted one in [0,{Count}), got {code}; the codes come from another codebook or are damaged", nameof(code));
        }

        return _patches.AsSpan(code * PatchBytes, PatchBytes);
    }

    /// <summary>The code of a patch, or -1 when no tile has it (or its length is not <see cref="PatchBytes"/>).</summary>
    public int Find(ReadOnlySpan<byte> patch)
    {
        if (patch.Length != PatchBytes)
        {
            return -1;
        }

        for (int slot = FirstSlot(patch); _slots[slot] != 0; slot = (slot + 1) & (_slots.Length - 1))
        {
            int code = _slots[slot] - 1;
            if (patch.SequenceEqual(_patches.AsSpan(code * PatchBytes, PatchBytes)))
            {
                return code;
            }
        }

        return -1;
    }

    /// <summary>Copies the patch whose top left pixel is (<paramref name="y"/>, <paramref name="x"/>) out of a picture of the given width.</summary>
    internal static void CopyOut(ReadOnlySpan<byte> rgb, int width, int y, int x, int patchSize, Span<byte> patch)
    {
        for (int row = 0; row < patchSize; row++)
        {
            rgb.Slice((((y + row) * width) + x) * 3, patchSize * 3).CopyTo(patch.Slice(row * patchSize * 3));
        }
    }

    private int FirstSlot(ReadOnlySpan<byte> patch) => (int)((uint)XxHash3.HashToUInt64(patch) & (uint)(_slots.Length - 1));
}
