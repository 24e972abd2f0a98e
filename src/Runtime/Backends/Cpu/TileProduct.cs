using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CoGrpo.Runtime.Backends.Cpu;

/// <summary>
/// Products of small matrices that lie in cache: c = a b or c += a b, eight rows of c in registers at a time. Every element of c is one
/// chain of fused multiply-adds in ascending depth, hence its bits do not depend on where in the tile it stands. Strides are in elements.
/// </summary>
internal static unsafe class TileProduct
{
    /// <summary>Rows of c are a multiple of this.</summary>
    public const int RowBlock = 8;

    /// <summary>Columns in a panel of b; panels lie <c>depth capacity * PanelWidth</c> apart when b is packed in panels.</summary>
    public const int PanelWidth = 32;

    /// <summary>
    /// c[r,n] = (accumulate ? c[r,n] : 0) + sum_k a[r*aRow + k*aStep] b[panel of n][k*bStep + n mod 32].
    /// </summary>
    /// <param name="a">Left operand.</param>
    /// <param name="aRow">From a row of the product to the next.</param>
    /// <param name="aStep">From a term of the sum to the next.</param>
    /// <param name="b">Right operand, columns adjacent within panels of 32.</param>
    /// <param name="bStep">From a term of the sum to the next.</param>
    /// <param name="bPanel">From a panel of 32 columns to the next; 32 for a plain row-major matrix.</param>
    /// <param name="c">Product.</param>
    /// <param name="cRow">From a row to the next.</param>
    /// <param name="rows">A multiple of 8.</param>
    /// <param name="columns">A multiple of 16.</param>
    /// <param name="depth">Number of terms.</param>
    /// <param name="accumulate">Whether to add to c.</param>
    public static void Multiply(
        float* a,
        nint aRow,
        nint aStep,
        float* b,
        nint bStep,
        nint bPanel,
        float* c,
        nint cRow,
        int rows,
        int columns,
        int depth,
        bool accumulate
    )
    {
        for (int n = 0; n < columns; n += PanelWidth, b += bPanel)
        {
            for (int r = 0; r < rows; r += RowBlock)
            {
                if (columns - n >= PanelWidth)
                {
                    Wide(a + (r * aRow), aRow, aStep, b, bStep, c + (r * cRow) + n, cRow, depth, accumulate);
                }
                else
                {
                    Narrow(a + (r * aRow), aRow, aStep, b, bStep, c + (r * cRow) + n, cRow, depth, accumulate);
                }
            }
        }
    }

    // Three row pointers and one stride reach all eight rows through the addressing modes, which leaves registers for the loop.
    private static void Wide(float* a, nint aRow, nint aStep, float* b, nint bStep, float* c, nint cRow, int depth, bool accumulate)
    {
        Vector512<float> c00, c01, c10, c11, c20, c21, c30, c31, c40, c41, c50, c51, c60, c61, c70, c71;
        if (accumulate)
        {
            (c00, c01) = (Vector512.Load(c), Vector512.Load(c + 16));
            (c10, c11) = (Vector512.Load(c + cRow), Vector512.Load(c + cRow + 16));
            (c20, c21) = (Vector512.Load(c + (2 * cRow)), Vector512.Load(c + (2 * cRow) + 16));
            (c30, c31) = (Vector512.Load(c + (3 * cRow)), Vector512.Load(c + (3 * cRow) + 16));
            (c40, c41) = (Vector512.Load(c + (4 * cRow)), Vector512.Load(c + (4 * cRow) + 16));
            (c50, c51) = (Vector512.Load(c + (5 * cRow)), Vector512.Load(c + (5 * cRow) + 16));
            (c60, c61) = (Vector512.Load(c + (6 * cRow)), Vector512.Load(c + (6 * cRow) + 16));
            (c70, c71) = (Vector512.Load(c + (7 * cRow)), Vector512.Load(c + (7 * cRow) + 16));
        }
        else
        {
            c00 = c01 = c10 = c11 = c20 = c21 = c30 = c31 = c40 = c41 = c50 = c51 = c60 = c61 = c70 = c71 = Vector512<float>.Zero;
        }

        float* a3 = a + (3 * aRow);
        float* a6 = a + (6 * aRow);
        for (int k = 0; k < depth; k++)
        {
            Vector512<float> b0 = Vector512.Load(b);
            Vector512<float> b1 = Vector512.Load(b + 16);
            Vector512<float> x = Vector512.Create(*a);
            c00 = Vector512.FusedMultiplyAdd(x, b0, c00);
            c01 = Vector512.FusedMultiplyAdd(x, b1, c01);
            x = Vector512.Create(a[aRow]);
            c10 = Vector512.FusedMultiplyAdd(x, b0, c10);
            c11 = Vector512.FusedMultiplyAdd(x, b1, c11);
            x = Vector512.Create(a[2 * aRow]);
            c20 = Vector512.FusedMultiplyAdd(x, b0, c20);
            c21 = Vector512.FusedMultiplyAdd(x, b1, c21);
            x = Vector512.Create(*a3);
            c30 = Vector512.FusedMultiplyAdd(x, b0, c30);
            c31 = Vector512.FusedMultiplyAdd(x, b1, c31);
            x = Vector512.Create(a3[aRow]);
            c40 = Vector512.FusedMultiplyAdd(x, b0, c40);
            c41 = Vector512.FusedMultiplyAdd(x, b1, c41);
            x = Vector512.Create(a3[2 * aRow]);
            c50 = Vector512.FusedMultiplyAdd(x, b0, c50);
            c51 = Vector512.FusedMultiplyAdd(x, b1, c51);
            x = Vector512.Create(*a6);
            c60 = Vector512.FusedMultiplyAdd(x, b0, c60);
            c61 = Vector512.FusedMultiplyAdd(x, b1, c61);
            x = Vector512.Create(a6[aRow]);
            c70 = Vector512.FusedMultiplyAdd(x, b0, c70);
            c71 = Vector512.FusedMultiplyAdd(x, b1, c71);
            a += aStep;
            a3 += aStep;
            a6 += aStep;
            b += bStep;
        }

        Store(c, c00, c01);
        Store(c + cRow, c10, c11);
        Store(c + (2 * cRow), c20, c21);
        Store(c + (3 * cRow), c30, c31);
        Store(c + (4 * cRow), c40, c41);
        Store(c + (5 * cRow), c50, c51);
        Store(c + (6 * cRow), c60, c61);
        Store(c + (7 * cRow), c70, c71);
    }

    private static void Narrow(float* a, nint aRow, nint aStep, float* b, nint bStep, float* c, nint cRow, int depth, bool accumulate)
    {
        Vector512<float> c0, c1, c2, c3, c4, c5, c6, c7;
        if (accumulate)
        {
            (c0, c1, c2, c3) = (Vector512.Load(c), Vector512.Load(c + cRow), Vector512.Load(c + (2 * cRow)), Vector512.Load(c + (3 * cRow)));
            float* lower = c + (4 * cRow);
            (c4, c5, c6, c7) = (
                Vector512.Load(lower),
                Vector512.Load(lower + cRow),
                Vector512.Load(lower + (2 * cRow)),
                Vector512.Load(lower + (3 * cRow))
            );
        }
        else
        {
            c0 = c1 = c2 = c3 = c4 = c5 = c6 = c7 = Vector512<float>.Zero;
        }

        float* a3 = a + (3 * aRow);
        float* a6 = a + (6 * aRow);
        for (int k = 0; k < depth; k++)
        {
            Vector512<float> b0 = Vector512.Load(b);
            c0 = Vector512.FusedMultiplyAdd(Vector512.Create(*a), b0, c0);
            c1 = Vector512.FusedMultiplyAdd(Vector512.Create(a[aRow]), b0, c1);
            c2 = Vector512.FusedMultiplyAdd(Vector512.Create(a[2 * aRow]), b0, c2);
            c3 = Vector512.FusedMultiplyAdd(Vector512.Create(*a3), b0, c3);
            c4 = Vector512.FusedMultiplyAdd(Vector512.Create(a3[aRow]), b0, c4);
            c5 = Vector512.FusedMultiplyAdd(Vector512.Create(a3[2 * aRow]), b0, c5);
            c6 = Vector512.FusedMultiplyAdd(Vector512.Create(*a6), b0, c6);
            c7 = Vector512.FusedMultiplyAdd(Vector512.Create(a6[aRow]), b0, c7);
            a += aStep;
            a3 += aStep;
            a6 += aStep;
            b += bStep;
        }

        c0.Store(c);
        c1.Store(c + cRow);
        c2.Store(c + (2 * cRow));
        c3.Store(c + (3 * cRow));
        float* rest = c + (4 * cRow);
        c4.Store(rest);
        c5.Store(rest + cRow);
        c6.Store(rest + (2 * cRow));
        c7.Store(rest + (3 * cRow));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(float* c, Vector512<float> left, Vector512<float> right)
    {
        left.Store(c);
        right.Store(c + 16);
    }
}
