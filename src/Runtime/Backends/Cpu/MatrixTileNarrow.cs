using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CoGrpo.Runtime.Backends.Cpu;

/// <summary>
/// The tile of <see cref="MatrixTile"/> in pieces for narrower machines: 6 x 16 with the 16 registers of AVX2, 12 x 8 with the 32 registers of Arm.
/// Every element is the same chain as with 512-bit vectors.
/// </summary>
internal static unsafe class MatrixTileNarrow
{
    /// <summary>As <see cref="MatrixTile.Multiply"/> with 256-bit vectors.</summary>
    public static void Multiply256(int rows, float* a, nint ars, nint acs, float* b, float* c, int k, bool add)
    {
        for (int row = 0; row < rows; row += 6)
        {
            float* first = a + (row * ars);
            Piece256(first, ars, acs, b, c + (32 * row), k, add);
            Piece256(first, ars, acs, b + 16, c + (32 * row) + 16, k, add);
        }
    }

    /// <summary>As <see cref="MatrixTile.Multiply"/> with 128-bit vectors.</summary>
    public static void Multiply128(float* a, nint ars, nint acs, float* b, float* c, int k, bool add)
    {
        for (int column = 0; column < MatrixTile.Columns; column += 8)
        {
            Piece128(a, ars, acs, b + column, c + column, k, add);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Piece256(float* a, nint ars, nint acs, float* b, float* c, int k, bool add)
    {
        Vector256<float> c0l = Vector256<float>.Zero, c0h = Vector256<float>.Zero;
        Vector256<float> c1l = Vector256<float>.Zero, c1h = Vector256<float>.Zero;
        Vector256<float> c2l = Vector256<float>.Zero, c2h = Vector256<float>.Zero;
        Vector256<float> c3l = Vector256<float>.Zero, c3h = Vector256<float>.Zero;
        Vector256<float> c4l = Vector256<float>.Zero, c4h = Vector256<float>.Zero;
        Vector256<float> c5l = Vector256<float>.Zero, c5h = Vector256<float>.Zero;
        nint ars2 = 2 * ars;
        float* a3 = a + (3 * ars);
        for (; k > 0; k--)
        {
            Vector256<float> l = Vector256.Load(b);
            Vector256<float> h = Vector256.Load(b + 8);
            Vector256<float> v = Vector256.Create(*a);
            c0l = Vector256.FusedMultiplyAdd(v, l, c0l);
            c0h = Vector256.FusedMultiplyAdd(v, h, c0h);
            v = Vector256.Create(*(a + ars));
            c1l = Vector256.FusedMultiplyAdd(v, l, c1l);
            c1h = Vector256.FusedMultiplyAdd(v, h, c1h);
            v = Vector256.Create(*(a + ars2));
            c2l = Vector256.FusedMultiplyAdd(v, l, c2l);
            c2h = Vector256.FusedMultiplyAdd(v, h, c2h);
            v = Vector256.Create(*a3);
            c3l = Vector256.FusedMultiplyAdd(v, l, c3l);
            c3h = Vector256.FusedMultiplyAdd(v, h, c3h);
            v = Vector256.Create(*(a3 + ars));
            c4l = Vector256.FusedMultiplyAdd(v, l, c4l);
            c4h = Vector256.FusedMultiplyAdd(v, h, c4h);
            v = Vector256.Create(*(a3 + ars2));
            c5l = Vector256.FusedMultiplyAdd(v, l, c5l);
            c5h = Vector256.FusedMultiplyAdd(v, h, c5h);
            b += 32;
            a += acs;
            a3 += acs;
        }

        if (add)
        {
            (c0l, c0h) = (Vector256.Load(c + 0) + c0l, Vector256.Load(c + 8) + c0h);
            (c1l, c1h) = (Vector256.Load(c + 32) + c1l, Vector256.Load(c + 40) + c1h);
            (c2l, c2h) = (Vector256.Load(c + 64) + c2l, Vector256.Load(c + 72) + c2h);
            (c3l, c3h) = (Vector256.Load(c + 96) + c3l, Vector256.Load(c + 104) + c3h);
            (c4l, c4h) = (Vector256.Load(c + 128) + c4l, Vector256.Load(c + 136) + c4h);
            (c5l, c5h) = (Vector256.Load(c + 160) + c5l, Vector256.Load(c + 168) + c5h);
        }

        c0l.Store(c + 0);
        c0h.Store(c + 8);
        c1l.Store(c + 32);
        c1h.Store(c + 40);
        c2l.Store(c + 64);
        c2h.Store(c + 72);
        c3l.Store(c + 96);
        c3h.Store(c + 104);
        c4l.Store(c + 128);
        c4h.Store(c + 136);
        c5l.Store(c + 160);
        c5h.Store(c + 168);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Piece128(float* a, nint ars, nint acs, float* b, float* c, int k, bool add)
    {
        Vector128<float> c0l = Vector128<float>.Zero, c0h = Vector128<float>.Zero;
        Vector128<float> c1l = Vector128<float>.Zero, c1h = Vector128<float>.Zero;
        Vector128<float> c2l = Vector128<float>.Zero, c2h = Vector128<float>.Zero;
        Vector128<float> c3l = Vector128<float>.Zero, c3h = Vector128<float>.Zero;
        Vector128<float> c4l = Vector128<float>.Zero, c4h = Vector128<float>.Zero;
        Vector128<float> c5l = Vector128<float>.Zero, c5h = Vector128<float>.Zero;
        Vector128<float> c6l = Vector128<float>.Zero, c6h = Vector128<float>.Zero;
        Vector128<float> c7l = Vector128<float>.Zero, c7h = Vector128<float>.Zero;
        Vector128<float> c8l = Vector128<float>.Zero, c8h = Vector128<float>.Zero;
        Vector128<float> c9l = Vector128<float>.Zero, c9h = Vector128<float>.Zero;
        Vector128<float> c10l = Vector128<float>.Zero, c10h = Vector128<float>.Zero;
        Vector128<float> c11l = Vector128<float>.Zero, c11h = Vector128<float>.Zero;
        nint ars2 = 2 * ars;
        float* a3 = a + (3 * ars);
        float* a6 = a + (6 * ars);
        float* a9 = a + (9 * ars);
        for (; k > 0; k--)
        {
            Vector128<float> l = Vector128.Load(b);
            Vector128<float> h = Vector128.Load(b + 4);
            Vector128<float> v = Vector128.Create(*a);
            c0l = Vector128.FusedMultiplyAdd(v, l, c0l);
            c0h = Vector128.FusedMultiplyAdd(v, h, c0h);
            v = Vector128.Create(*(a + ars));
            c1l = Vector128.FusedMultiplyAdd(v, l, c1l);
            c1h = Vector128.FusedMultiplyAdd(v, h, c1h);
            v = Vector128.Create(*(a + ars2));
            c2l = Vector128.FusedMultiplyAdd(v, l, c2l);
            c2h = Vector128.FusedMultiplyAdd(v, h, c2h);
            v = Vector128.Create(*a3);
            c3l = Vector128.FusedMultiplyAdd(v, l, c3l);
            c3h = Vector128.FusedMultiplyAdd(v, h, c3h);
            v = Vector128.Create(*(a3 + ars));
            c4l = Vector128.FusedMultiplyAdd(v, l, c4l);
            c4h = Vector128.FusedMultiplyAdd(v, h, c4h);
            v = Vector128.Create(*(a3 + ars2));
            c5l = Vector128.FusedMultiplyAdd(v, l, c5l);
            c5h = Vector128.FusedMultiplyAdd(v, h, c5h);
            v = Vector128.Create(*a6);
            c6l = Vector128.FusedMultiplyAdd(v, l, c6l);
            c6h = Vector128.FusedMultiplyAdd(v, h, c6h);
            v = Vector128.Create(*(a6 + ars));
            c7l = Vector128.FusedMultiplyAdd(v, l, c7l);
            c7h = Vector128.FusedMultiplyAdd(v, h, c7h);
            v = Vector128.Create(*(a6 + ars2));
            c8l = Vector128.FusedMultiplyAdd(v, l, c8l);
            c8h = Vector128.FusedMultiplyAdd(v, h, c8h);
            v = Vector128.Create(*a9);
            c9l = Vector128.FusedMultiplyAdd(v, l, c9l);
            c9h = Vector128.FusedMultiplyAdd(v, h, c9h);
            v = Vector128.Create(*(a9 + ars));
            c10l = Vector128.FusedMultiplyAdd(v, l, c10l);
            c10h = Vector128.FusedMultiplyAdd(v, h, c10h);
            v = Vector128.Create(*(a9 + ars2));
            c11l = Vector128.FusedMultiplyAdd(v, l, c11l);
            c11h = Vector128.FusedMultiplyAdd(v, h, c11h);
            b += 32;
            a += acs;
            a3 += acs;
            a6 += acs;
            a9 += acs;
        }

        if (add)
        {
            (c0l, c0h) = (Vector128.Load(c + 0) + c0l, Vector128.Load(c + 4) + c0h);
            (c1l, c1h) = (Vector128.Load(c + 32) + c1l, Vector128.Load(c + 36) + c1h);
            (c2l, c2h) = (Vector128.Load(c + 64) + c2l, Vector128.Load(c + 68) + c2h);
            (c3l, c3h) = (Vector128.Load(c + 96) + c3l, Vector128.Load(c + 100) + c3h);
            (c4l, c4h) = (Vector128.Load(c + 128) + c4l, Vector128.Load(c + 132) + c4h);
            (c5l, c5h) = (Vector128.Load(c + 160) + c5l, Vector128.Load(c + 164) + c5h);
            (c6l, c6h) = (Vector128.Load(c + 192) + c6l, Vector128.Load(c + 196) + c6h);
            (c7l, c7h) = (Vector128.Load(c + 224) + c7l, Vector128.Load(c + 228) + c7h);
            (c8l, c8h) = (Vector128.Load(c + 256) + c8l, Vector128.Load(c + 260) + c8h);
            (c9l, c9h) = (Vector128.Load(c + 288) + c9l, Vector128.Load(c + 292) + c9h);
            (c10l, c10h) = (Vector128.Load(c + 320) + c10l, Vector128.Load(c + 324) + c10h);
            (c11l, c11h) = (Vector128.Load(c + 352) + c11l, Vector128.Load(c + 356) + c11h);
        }

        c0l.Store(c + 0);
        c0h.Store(c + 4);
        c1l.Store(c + 32);
        c1h.Store(c + 36);
        c2l.Store(c + 64);
        c2h.Store(c + 68);
        c3l.Store(c + 96);
        c3h.Store(c + 100);
        c4l.Store(c + 128);
        c4h.Store(c + 132);
        c5l.Store(c + 160);
        c5h.Store(c + 164);
        c6l.Store(c + 192);
        c6h.Store(c + 196);
        c7l.Store(c + 224);
        c7h.Store(c + 228);
        c8l.Store(c + 256);
        c8h.Store(c + 260);
        c9l.Store(c + 288);
        c9h.Store(c + 292);
        c10l.Store(c + 320);
        c10h.Store(c + 324);
        c11l.Store(c + 352);
        c11h.Store(c + 356);
    }
}
