using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace CoGrpo.Runtime.Backends.Cpu;

/// <summary>Brings operands of the matrix product into the order in which <see cref="MatrixTile"/> reads them, zero-padded to whole tiles.</summary>
internal static unsafe class MatrixPacking
{
    /// <summary>
    /// packed[k,r] := a[r·ars + k·acs] for r below <paramref name="rows"/> and 0 up to 12. One of the strides is 1.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Left(float* a, nint ars, nint acs, int rows, int k, float* packed)
    {
        if (rows < MatrixTile.Rows)
        {
            NativeMemory.Clear(packed, (nuint)k * MatrixTile.Rows * sizeof(float));
            for (int row = 0; row < rows; row++)
            {
                float* source = a + (row * ars);
                for (int i = 0; i < k; i++)
                {
                    packed[(i * MatrixTile.Rows) + row] = source[i * acs];
                }
            }
        }
        else if (acs == 1)
        {
            Transpose(a, ars, MatrixTile.Rows, k, packed, MatrixTile.Rows);
        }
        else
        {
            LeftTiles(a, acs, 1, k, packed, 0);
        }
    }

    /// <summary>As <see cref="Left"/> for adjacent whole tiles of a transposed operand: every run of rows is read once, from end to end.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void LeftTiles(float* a, nint acs, int tiles, int k, float* packed, nint tileSize)
    {
        for (int i = 0; i < k; i++, a += acs, packed += MatrixTile.Rows)
        {
            float* source = a;
            float* target = packed;
            for (int tile = 0; tile < tiles; tile++, source += MatrixTile.Rows, target += tileSize)
            {
                if (Sse.IsSupported)
                {
                    // The run is short and the next one far: the hardware does not foresee it.
                    Sse.Prefetch0(source + (12 * acs));
                }

                Vector128.Load(source).Store(target);
                Vector128.Load(source + 4).Store(target + 4);
                Vector128.Load(source + 8).Store(target + 8);
            }
        }
    }

    /// <summary>packed[k,j] := b[k·brs + j·bcs] for j below <paramref name="columns"/> and 0 up to 32. One of the strides is 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Right(float* b, nint brs, nint bcs, int columns, int k, float* packed)
    {
        if (columns < MatrixTile.Columns)
        {
            NativeMemory.Clear(packed, (nuint)k * MatrixTile.Columns * sizeof(float));
        }

        if (brs == 1)
        {
            Transpose(b, bcs, columns, k, packed, MatrixTile.Columns);
        }
        else if (columns == MatrixTile.Columns)
        {
            for (int i = 0; i < k; i++, b += brs, packed += MatrixTile.Columns)
            {
                Vector512.Load(b).Store(packed);
                Vector512.Load(b + 16).Store(packed + 16);
            }
        }
        else
        {
            for (int i = 0; i < k; i++, b += brs, packed += MatrixTile.Columns)
            {
                new ReadOnlySpan<float>(b, columns).CopyTo(new Span<float>(packed, columns));
            }
        }
    }

    /// <summary>target[i·width + line] := source[line·stride + i]. A cache line of the source is used up before the next is touched.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Transpose(float* source, nint stride, int lines, int k, float* target, int width)
    {
        int whole = Sse.IsSupported || AdvSimd.Arm64.IsSupported ? lines & ~3 : 0;
        for (int first = 0; first < k; first += 16)
        {
            int end = Math.Min(first + 16, k);
            int wholeEnd = first + ((end - first) & ~3);
            for (int line = 0; line < whole; line += 4)
            {
                float* s = source + (line * stride);
                int i = first;
                for (; i < wholeEnd; i += 4)
                {
                    Block4(s + i, stride, target + ((nint)i * width) + line, width);
                }

                for (; i < end; i++)
                {
                    float* t = target + ((nint)i * width) + line;
                    t[0] = s[i];
                    t[1] = s[i + stride];
                    t[2] = s[i + (2 * stride)];
                    t[3] = s[i + (3 * stride)];
                }
            }

            for (int line = whole; line < lines; line++)
            {
                for (int i = first; i < end; i++)
                {
                    target[((nint)i * width) + line] = source[(line * stride) + i];
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Block4(float* s, nint stride, float* t, nint width)
    {
        Vector128<float> a = Vector128.Load(s), b = Vector128.Load(s + stride);
        Vector128<float> c = Vector128.Load(s + (2 * stride)), d = Vector128.Load(s + (3 * stride));
        if (Sse.IsSupported)
        {
            Vector128<float> ab = Sse.UnpackLow(a, b), cd = Sse.UnpackLow(c, d), abHigh = Sse.UnpackHigh(a, b), cdHigh = Sse.UnpackHigh(c, d);
            Sse.MoveLowToHigh(ab, cd).Store(t);
            Sse.MoveHighToLow(cd, ab).Store(t + width);
            Sse.MoveLowToHigh(abHigh, cdHigh).Store(t + (2 * width));
            Sse.MoveHighToLow(cdHigh, abHigh).Store(t + (3 * width));
        }
        else
        {
            Vector128<float> ac = AdvSimd.Arm64.ZipLow(a, c), bd = AdvSimd.Arm64.ZipLow(b, d);
            Vector128<float> acHigh = AdvSimd.Arm64.ZipHigh(a, c), bdHigh = AdvSimd.Arm64.ZipHigh(b, d);
            AdvSimd.Arm64.ZipLow(ac, bd).Store(t);
            AdvSimd.Arm64.ZipHigh(ac, bd).Store(t + width);
            AdvSimd.Arm64.ZipLow(acHigh, bdHigh).Store(t + (2 * width));
            AdvSimd.Arm64.ZipHigh(acHigh, bdHigh).Store(t + (3 * width));
        }
    }
}
