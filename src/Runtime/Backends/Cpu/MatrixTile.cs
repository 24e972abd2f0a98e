using System.Runtime.Intrinsics;

namespace CoGrpo.Runtime.Backends.Cpu;

/// <summary>
/// The inner block of the matrix product: 12 rows by 32 columns. Every element is one chain of fused multiply-adds over k in rising
/// order, whatever the vector width, hence the same bits on every machine, at every place in a tile.
/// </summary>
internal static unsafe class MatrixTile
{
    /// <summary>Rows of a tile.</summary>
    public const int Rows = 12;

    /// <summary>Columns of a tile and of a packed panel.</summary>
    public const int Columns = 32;

    /// <summary>Elements of a tile.</summary>
    public const int Size = Rows * Columns;

    /// <summary>
    /// c[r,j] := (add ? c[r,j] : 0) + sum over k of a[r·ars + k·acs] · b[32k + j], row r of c at 32r. Twelve rows of a must be readable,
    /// and rows of c beyond <paramref name="rows"/> may be overwritten.
    /// </summary>
    public static void Multiply(int rows, float* a, nint ars, nint acs, float* b, float* c, int k, bool add)
    {
        if (Vector512.IsHardwareAccelerated)
        {
            MatrixTile512.Multiply(rows, a, ars, acs, b, c, k, add);
        }
        else if (Vector256.IsHardwareAccelerated)
        {
            MatrixTileNarrow.Multiply256(rows, a, ars, acs, b, c, k, add);
        }
        else
        {
            MatrixTileNarrow.Multiply128(a, ars, acs, b, c, k, add);
        }
    }
}
