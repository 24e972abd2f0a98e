using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace CoGrpo.Runtime.Backends.Cpu;

/// <summary>
/// Copies of a head's rows into dense tiles for <see cref="TileProduct"/>. Padding is zero, so that it adds nothing and never holds a stray NaN.
/// </summary>
internal static unsafe class TilePack
{
    /// <summary>
    /// dst[r,d] = scale · src[r,d] for r below <paramref name="rows"/> and d below <paramref name="width"/>, zero up to <paramref name="rowsPadded"/>
    /// and <paramref name="widthPadded"/>.
    /// </summary>
    public static void Rows(float* src, nint stride, int rows, int width, float scale, float* dst, int rowsPadded, int widthPadded)
    {
        for (int r = 0; r < rows; r++, src += stride, dst += widthPadded)
        {
            ScaledRow(src, width, scale, dst, widthPadded);
        }

        new Span<float>(dst, (rowsPadded - rows) * widthPadded).Clear();
    }

    /// <summary>Panels of 32 columns: dst[(d/32)·rowCapacity·32 + r·32 + d mod 32] = src[r,d], zero up to the next multiple of 16 columns.</summary>
    public static void Panels(float* src, nint stride, int rows, int width, float* dst, int rowCapacity)
    {
        for (int d = 0; d < width; d += TileProduct.PanelWidth, dst += rowCapacity * TileProduct.PanelWidth)
        {
            int part = Math.Min(TileProduct.PanelWidth, width - d);
            int padded = (part + 15) & ~15;
            for (int r = 0; r < rows; r++)
            {
                ScaledRow(src + (r * stride) + d, part, 1f, dst + (r * TileProduct.PanelWidth), padded);
            }
        }
    }

    /// <summary>Panels of the transpose: dst[(r/32)·width·32 + d·32 + r mod 32] = src[r,d], zero up to the next multiple of 16 rows.</summary>
    public static void TransposedPanels(float* src, nint stride, int rows, int width, float* dst)
    {
        for (int first = 0; first < rows; first += TileProduct.PanelWidth, dst += width * TileProduct.PanelWidth)
        {
            int count = Math.Min(TileProduct.PanelWidth, rows - first);
            TransposePanel(src + (first * stride), stride, count, width, dst);
            int padded = (count + 15) & ~15;
            for (int d = 0; d < width && count < padded; d++)
            {
                new Span<float>(dst + (d * TileProduct.PanelWidth) + count, padded - count).Clear();
            }
        }
    }

    /// <summary>dst[r,d] = factor · tile[r,d] for the rows and columns that exist.</summary>
    public static void CopyOut(float* tile, int widthPadded, int rows, int width, float factor, float* dst, nint stride)
    {
        for (int r = 0; r < rows; r++, tile += widthPadded, dst += stride)
        {
            int d = 0;
            for (; d + 16 <= width; d += 16)
            {
                (Vector512.Load(tile + d) * factor).Store(dst + d);
            }

            for (; d < width; d++)
            {
                dst[d] = tile[d] * factor;
            }
        }
    }

    private static void ScaledRow(float* src, int width, float scale, float* dst, int widthPadded)
    {
        int d = 0;
        for (; d + 16 <= width; d += 16)
        {
            (Vector512.Load(src + d) * scale).Store(dst + d);
        }

        for (; d < width; d++)
        {
            dst[d] = src[d] * scale;
        }

        for (; d < widthPadded; d++)
        {
            dst[d] = 0f;
        }
    }

    private static void TransposePanel(float* src, nint stride, int count, int width, float* dst)
    {
        int blockRows = Sse.IsSupported ? count & ~3 : 0;
        int blockWidth = width & ~3;
        for (int r = 0; r < blockRows; r += 4)
        {
            float* s = src + (r * stride);
            float* t = dst + r;
            for (int d = 0; d < blockWidth; d += 4, s += 4, t += 4 * TileProduct.PanelWidth)
            {
                Vector128<float> x0 = Vector128.Load(s);
                Vector128<float> x1 = Vector128.Load(s + stride);
                Vector128<float> x2 = Vector128.Load(s + (2 * stride));
                Vector128<float> x3 = Vector128.Load(s + (3 * stride));
                Vector128<float> low01 = Sse.UnpackLow(x0, x1);
                Vector128<float> low23 = Sse.UnpackLow(x2, x3);
                Vector128<float> high01 = Sse.UnpackHigh(x0, x1);
                Vector128<float> high23 = Sse.UnpackHigh(x2, x3);
                Sse.MoveLowToHigh(low01, low23).Store(t);
                Sse.MoveHighToLow(low23, low01).Store(t + TileProduct.PanelWidth);
                Sse.MoveLowToHigh(high01, high23).Store(t + (2 * TileProduct.PanelWidth));
                Sse.MoveHighToLow(high23, high01).Store(t + (3 * TileProduct.PanelWidth));
            }
        }

        for (int r = 0; r < count; r++)
        {
            for (int d = r < blockRows ? blockWidth : 0; d < width; d++)
            {
                dst[(d * TileProduct.PanelWidth) + r] = src[(r * stride) + d];
            }
        }
    }
}
