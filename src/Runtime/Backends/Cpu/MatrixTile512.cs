using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CoGrpo.Runtime.Backends.Cpu;

/// <summary>
/// The tile of <see cref="MatrixTile"/> with 512-bit vectors: the 24 accumulators of twelve rows fill the register file, so nothing may be
/// called, zeroed or allocated while they live. Rows are addressed from every third one to stay within base + index.
/// </summary>
internal static unsafe class MatrixTile512
{
    /// <summary>As <see cref="MatrixTile.Multiply"/>; rows beyond the next multiple of four are neither computed nor written.</summary>
    public static void Multiply(int rows, float* a, nint ars, nint acs, float* b, float* c, int k, bool add)
    {
        if (rows > 8)
        {
            Rows12(a, ars, acs, b, c, k, add);
        }
        else if (rows > 4)
        {
            Rows8(a, ars, acs, b, c, k, add);
        }
        else
        {
            Rows4(a, ars, acs, b, c, k, add);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows12(float* a, nint ars, nint acs, float* b, float* c, int k, bool add)
    {
        Vector512<float> c0l = Vector512<float>.Zero, c0h = Vector512<float>.Zero;
        Vector512<float> c1l = Vector512<float>.Zero, c1h = Vector512<float>.Zero;
        Vector512<float> c2l = Vector512<float>.Zero, c2h = Vector512<float>.Zero;
        Vector512<float> c3l = Vector512<float>.Zero, c3h = Vector512<float>.Zero;
        Vector512<float> c4l = Vector512<float>.Zero, c4h = Vector512<float>.Zero;
        Vector512<float> c5l = Vector512<float>.Zero, c5h = Vector512<float>.Zero;
        Vector512<float> c6l = Vector512<float>.Zero, c6h = Vector512<float>.Zero;
        Vector512<float> c7l = Vector512<float>.Zero, c7h = Vector512<float>.Zero;
        Vector512<float> c8l = Vector512<float>.Zero, c8h = Vector512<float>.Zero;
        Vector512<float> c9l = Vector512<float>.Zero, c9h = Vector512<float>.Zero;
        Vector512<float> c10l = Vector512<float>.Zero, c10h = Vector512<float>.Zero;
        Vector512<float> c11l = Vector512<float>.Zero, c11h = Vector512<float>.Zero;
        nint ars2 = 2 * ars;
        float* a3 = a + (3 * ars);
        float* a6 = a + (6 * ars);
        float* a9 = a + (9 * ars);
        for (; k > 0; k--)
        {
            Vector512<float> l = Vector512.Load(b);
            Vector512<float> h = Vector512.Load(b + 16);
            Vector512<float> v = Vector512.Create(*a);
            c0l = Vector512.FusedMultiplyAdd(v, l, c0l);
            c0h = Vector512.FusedMultiplyAdd(v, h, c0h);
            v = Vector512.Create(*(a + ars));
            c1l = Vector512.FusedMultiplyAdd(v, l, c1l);
            c1h = Vector512.FusedMultiplyAdd(v, h, c1h);
            v = Vector512.Create(*(a + ars2));
            c2l = Vector512.FusedMultiplyAdd(v, l, c2l);
            c2h = Vector512.FusedMultiplyAdd(v, h, c2h);
            v = Vector512.Create(*a3);
            c3l = Vector512.FusedMultiplyAdd(v, l, c3l);
            c3h = Vector512.FusedMultiplyAdd(v, h, c3h);
            v = Vector512.Create(*(a3 + ars));
            c4l = Vector512.FusedMultiplyAdd(v, l, c4l);
            c4h = Vector512.FusedMultiplyAdd(v, h, c4h);
            v = Vector512.Create(*(a3 + ars2));
            c5l = Vector512.FusedMultiplyAdd(v, l, c5l);
            c5h = Vector512.FusedMultiplyAdd(v, h, c5h);
            v = Vector512.Create(*a6);
            c6l = Vector512.FusedMultiplyAdd(v, l, c6l);
            c6h = Vector512.FusedMultiplyAdd(v, h, c6h);
            v = Vector512.Create(*(a6 + ars));
            c7l = Vector512.FusedMultiplyAdd(v, l, c7l);
            c7h = Vector512.FusedMultiplyAdd(v, h, c7h);
            v = Vector512.Create(*(a6 + ars2));
            c8l = Vector512.FusedMultiplyAdd(v, l, c8l);
            c8h = Vector512.FusedMultiplyAdd(v, h, c8h);
            v = Vector512.Create(*a9);
            c9l = Vector512.FusedMultiplyAdd(v, l, c9l);
            c9h = Vector512.FusedMultiplyAdd(v, h, c9h);
            v = Vector512.Create(*(a9 + ars));
            c10l = Vector512.FusedMultiplyAdd(v, l, c10l);
            c10h = Vector512.FusedMultiplyAdd(v, h, c10h);
            v = Vector512.Create(*(a9 + ars2));
            c11l = Vector512.FusedMultiplyAdd(v, l, c11l);
            c11h = Vector512.FusedMultiplyAdd(v, h, c11h);
            b += 32;
            a += acs;
            a3 += acs;
            a6 += acs;
            a9 += acs;
        }

        if (add)
        {
            (c0l, c0h) = (Vector512.Load(c + 0) + c0l, Vector512.Load(c + 16) + c0h);
            (c1l, c1h) = (Vector512.Load(c + 32) + c1l, Vector512.Load(c + 48) + c1h);
            (c2l, c2h) = (Vector512.Load(c + 64) + c2l, Vector512.Load(c + 80) + c2h);
            (c3l, c3h) = (Vector512.Load(c + 96) + c3l, Vector512.Load(c + 112) + c3h);
            (c4l, c4h) = (Vector512.Load(c + 128) + c4l, Vector512.Load(c + 144) + c4h);
            (c5l, c5h) = (Vector512.Load(c + 160) + c5l, Vector512.Load(c + 176) + c5h);
            (c6l, c6h) = (Vector512.Load(c + 192) + c6l, Vector512.Load(c + 208) + c6h);
            (c7l, c7h) = (Vector512.Load(c + 224) + c7l, Vector512.Load(c + 240) + c7h);
            (c8l, c8h) = (Vector512.Load(c + 256) + c8l, Vector512.Load(c + 272) + c8h);
            (c9l, c9h) = (Vector512.Load(c + 288) + c9l, Vector512.Load(c + 304) + c9h);
            (c10l, c10h) = (Vector512.Load(c + 320) + c10l, Vector512.Load(c + 336) + c10h);
            (c11l, c11h) = (Vector512.Load(c + 352) + c11l, Vector512.Load(c + 368) + c11h);
        }

        c0l.Store(c + 0);
        c0h.Store(c + 16);
        c1l.Store(c + 32);
        c1h.Store(c + 48);
        c2l.Store(c + 64);
        c2h.Store(c + 80);
        c3l.Store(c + 96);
        c3h.Store(c + 112);
        c4l.Store(c + 128);
        c4h.Store(c + 144);
        c5l.Store(c + 160);
        c5h.Store(c + 176);
        c6l.Store(c + 192);
        c6h.Store(c + 208);
        c7l.Store(c + 224);
        c7h.Store(c + 240);
        c8l.Store(c + 256);
        c8h.Store(c + 272);
        c9l.Store(c + 288);
        c9h.Store(c + 304);
        c10l.Store(c + 320);
        c10h.Store(c + 336);
        c11l.Store(c + 352);
        c11h.Store(c + 368);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows8(float* a, nint ars, nint acs, float* b, float* c, int k, bool add)
    {
        Vector512<float> c0l = Vector512<float>.Zero, c0h = Vector512<float>.Zero;
        Vector512<float> c1l = Vector512<float>.Zero, c1h = Vector512<float>.Zero;
        Vector512<float> c2l = Vector512<float>.Zero, c2h = Vector512<float>.Zero;
        Vector512<float> c3l = Vector512<float>.Zero, c3h = Vector512<float>.Zero;
        Vector512<float> c4l = Vector512<float>.Zero, c4h = Vector512<float>.Zero;
        Vector512<float> c5l = Vector512<float>.Zero, c5h = Vector512<float>.Zero;
        Vector512<float> c6l = Vector512<float>.Zero, c6h = Vector512<float>.Zero;
        Vector512<float> c7l = Vector512<float>.Zero, c7h = Vector512<float>.Zero;
        nint ars2 = 2 * ars;
        float* a3 = a + (3 * ars);
        float* a6 = a + (6 * ars);
        for (; k > 0; k--)
        {
            Vector512<float> l = Vector512.Load(b);
            Vector512<float> h = Vector512.Load(b + 16);
            Vector512<float> v = Vector512.Create(*a);
            c0l = Vector512.FusedMultiplyAdd(v, l, c0l);
            c0h = Vector512.FusedMultiplyAdd(v, h, c0h);
            v = Vector512.Create(*(a + ars));
            c1l = Vector512.FusedMultiplyAdd(v, l, c1l);
            c1h = Vector512.FusedMultiplyAdd(v, h, c1h);
            v = Vector512.Create(*(a + ars2));
            c2l = Vector512.FusedMultiplyAdd(v, l, c2l);
            c2h = Vector512.FusedMultiplyAdd(v, h, c2h);
            v = Vector512.Create(*a3);
            c3l = Vector512.FusedMultiplyAdd(v, l, c3l);
            c3h = Vector512.FusedMultiplyAdd(v, h, c3h);
            v = Vector512.Create(*(a3 + ars));
            c4l = Vector512.FusedMultiplyAdd(v, l, c4l);
            c4h = Vector512.FusedMultiplyAdd(v, h, c4h);
            v = Vector512.Create(*(a3 + ars2));
            c5l = Vector512.FusedMultiplyAdd(v, l, c5l);
            c5h = Vector512.FusedMultiplyAdd(v, h, c5h);
            v = Vector512.Create(*a6);
            c6l = Vector512.FusedMultiplyAdd(v, l, c6l);
            c6h = Vector512.FusedMultiplyAdd(v, h, c6h);
            v = Vector512.Create(*(a6 + ars));
            c7l = Vector512.FusedMultiplyAdd(v, l, c7l);
            c7h = Vector512.FusedMultiplyAdd(v, h, c7h);
            b += 32;
            a += acs;
            a3 += acs;
            a6 += acs;
        }

        if (add)
        {
            (c0l, c0h) = (Vector512.Load(c + 0) + c0l, Vector512.Load(c + 16) + c0h);
            (c1l, c1h) = (Vector512.Load(c + 32) + c1l, Vector512.Load(c + 48) + c1h);
            (c2l, c2h) = (Vector512.Load(c + 64) + c2l, Vector512.Load(c + 80) + c2h);
            (c3l, c3h) = (Vector512.Load(c + 96) + c3l, Vector512.Load(c + 112) + c3h);
            (c4l, c4h) = (Vector512.Load(c + 128) + c4l, Vector512.Load(c + 144) + c4h);
            (c5l, c5h) = (Vector512.Load(c + 160) + c5l, Vector512.Load(c + 176) + c5h);
            (c6l, c6h) = (Vector512.Load(c + 192) + c6l, Vector512.Load(c + 208) + c6h);
            (c7l, c7h) = (Vector512.Load(c + 224) + c7l, Vector512.Load(c + 240) + c7h);
        }

        c0l.Store(c + 0);
        c0h.Store(c + 16);
        c1l.Store(c + 32);
        c1h.Store(c + 48);
        c2l.Store(c + 64);
        c2h.Store(c + 80);
        c3l.Store(c + 96);
        c3h.Store(c + 112);
        c4l.Store(c + 128);
        c4h.Store(c + 144);
        c5l.Store(c + 160);
        c5h.Store(c + 176);
        c6l.Store(c + 192);
        c6h.Store(c + 208);
        c7l.Store(c + 224);
        c7h.Store(c + 240);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows4(float* a, nint ars, nint acs, float* b, float* c, int k, bool add)
    {
        Vector512<float> c0l = Vector512<float>.Zero, c0h = Vector512<float>.Zero;
        Vector512<float> c1l = Vector512<float>.Zero, c1h = Vector512<float>.Zero;
        Vector512<float> c2l = Vector512<float>.Zero, c2h = Vector512<float>.Zero;
        Vector512<float> c3l = Vector512<float>.Zero, c3h = Vector512<float>.Zero;
        nint ars2 = 2 * ars;
        float* a3 = a + (3 * ars);
        for (; k > 0; k--)
        {
            Vector512<float> l = Vector512.Load(b);
            Vector512<float> h = Vector512.Load(b + 16);
            Vector512<float> v = Vector512.Create(*a);
            c0l = Vector512.FusedMultiplyAdd(v, l, c0l);
            c0h = Vector512.FusedMultiplyAdd(v, h, c0h);
            v = Vector512.Create(*(a + ars));
            c1l = Vector512.FusedMultiplyAdd(v, l, c1l);
            c1h = Vector512.FusedMultiplyAdd(v, h, c1h);
            v = Vector512.Create(*(a + ars2));
            c2l = Vector512.FusedMultiplyAdd(v, l, c2l);
            c2h = Vector512.FusedMultiplyAdd(v, h, c2h);
            v = Vector512.Create(*a3);
            c3l = Vector512.FusedMultiplyAdd(v, l, c3l);
            c3h = Vector512.FusedMultiplyAdd(v, h, c3h);
            b += 32;
            a += acs;
            a3 += acs;
        }

        if (add)
        {
            (c0l, c0h) = (Vector512.Load(c + 0) + c0l, Vector512.Load(c + 16) + c0h);
            (c1l, c1h) = (Vector512.Load(c + 32) + c1l, Vector512.Load(c + 48) + c1h);
            (c2l, c2h) = (Vector512.Load(c + 64) + c2l, Vector512.Load(c + 80) + c2h);
            (c3l, c3h) = (Vector512.Load(c + 96) + c3l, Vector512.Load(c + 112) + c3h);
        }

        c0l.Store(c + 0);
        c0h.Store(c + 16);
        c1l.Store(c + 32);
        c1h.Store(c + 48);
        c2l.Store(c + 64);
        c2h.Store(c + 80);
        c3l.Store(c + 96);
        c3h.Store(c + 112);
    }
}
