using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CoGrpo.Runtime.Backends.Cpu;

/// <summary>
/// The left operand of a convolution as a matrix product: row m has the pixels that output m sees, tap by tap, channels adjacent; zeros where a tap
/// lies outside the map. The matrix is never whole in memory: <see cref="Gather"/> makes the piece of it that a tile multiplies next.
/// </summary>
internal unsafe struct PatchRows
{
    /// <summary>The map, pixels apart by a stride.</summary>
    public float* X;

    public int XStride;

    /// <summary>Sizes of the map.</summary>
    public int Channels, Height, Width;

    /// <summary>Outputs of an image.</summary>
    public int OutHeight, OutWidth;

    /// <summary>Output (i, j) sees rows Step·i + FirstTapRow.. and columns Step·j + FirstTapColumn.., Taps of each.</summary>
    public int Step, FirstTapRow, FirstTapColumn, Taps;

    /// <summary>Columns [k, k + depth) of rows [row, row + rows), <paramref name="stride"/> apart.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void Gather(int row, int rows, int k, int depth, float* to, nint stride)
    {
        int outputs = OutHeight * OutWidth;
        (int image, int within) = Math.DivRem(row, outputs);
        (int i, int j) = Math.DivRem(within, OutWidth);
        for (int done = 0; done < depth;)
        {
            (int tap, int channel) = Math.DivRem(k + done, Channels);
            int count = Math.Min(depth - done, Channels - channel);
            int tapRow = FirstTapRow + (tap / Taps), tapColumn = FirstTapColumn + (tap % Taps);
            (int b, int oy, int ox) = (image, i, j);
            float* target = to + done;
            for (int r = 0; r < rows; r++, target += stride)
            {
                int y = (Step * oy) + tapRow, x = (Step * ox) + tapColumn;
                if ((uint)y < (uint)Height && (uint)x < (uint)Width)
                {
                    Copy(X + ((((((nint)b * Height) + y) * Width) + x) * XStride) + channel, target, count);
                }
                else
                {
                    new Span<float>(target, count).Clear();
                }

                if (++ox == OutWidth)
                {
                    ox = 0;
                    if (++oy == OutHeight)
                    {
                        oy = 0;
                        b++;
                    }
                }
            }

            done += count;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Copy(float* from, float* to, int count)
    {
        int i = 0;
        for (; i <= count - 16; i += 16)
        {
            Vector512.Load(from + i).Store(to + i);
        }

        for (; i < count; i++)
        {
            to[i] = from[i];
        }
    }
}
