using System.Runtime.Intrinsics;

namespace CoGrpo.Runtime.Backends.Cpu;

/// <summary>Moves between 2x2 blocks of pixels and pixels of four times the channels, in both directions.</summary>
internal unsafe struct SpaceDepthKernel
{
    /// <summary>[B,2h,2w,C].</summary>
    public float* Space;

    /// <summary>[B,h,w,4C].</summary>
    public float* Depth;

    /// <summary>Distances between pixels.</summary>
    public int SpaceStride, DepthStride;

    /// <summary>w and C.</summary>
    public int Width, Channels;

    /// <summary>Checks both tensors and fills in the arguments of the loop over B*h rows of the deep side.</summary>
    public static SpaceDepthKernel Between(Tensor space, Tensor depth)
    {
        Require.Rank(space, 4);
        Require.Rank(depth, 4);
        Require.Matrix(space, -1, -1);
        Require.Matrix(depth, -1, -1);
        Shape s = space.Shape, d = depth.Shape;
        Require.That(d[0] == s[0] && 2 * d[1] == s[1] && 2 * d[2] == s[2] && d[3] == 4 * s[3], nameof(depth), depth,
            "half the height and width and four times the channels of the other tensor");
        return new SpaceDepthKernel
        {
            Space = space.F32,
            SpaceStride = space.RowStride,
            Depth = depth.F32,
            DepthStride = depth.RowStride,
            Width = d[2],
            Channels = s[3],
        };
    }

    /// <summary>Loop body from space to depth.</summary>
    public static void ToDepth(void* state, int start, int end, int worker)
    {
        SpaceDepthKernel k = *(SpaceDepthKernel*)state;
        Vector512<int> interleave = Vector512.Create(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
        for (nint row = start; row < end; row++)
        {
            for (int column = 0; column < k.Width; column++)
            {
                float* a = k.Space + (((2 * row * 2 * k.Width) + (2 * column)) * k.SpaceStride);
                float* b = a + k.SpaceStride;
                float* c = a + (2 * (nint)k.Width * k.SpaceStride);
                float* d = c + k.SpaceStride;
                float* y = k.Depth + (((row * k.Width) + column) * k.DepthStride);
                int i = 0;
                for (; i <= k.Channels - 4; i += 4)
                {
                    Vector512<float> blocks = Vector512.Create(
                        Vector256.Create(Vector128.Load(a + i), Vector128.Load(b + i)),
                        Vector256.Create(Vector128.Load(c + i), Vector128.Load(d + i))
                    );
                    Vector512.Shuffle(blocks, interleave).Store(y + (4 * i));
                }

                for (; i < k.Channels; i++)
                {
                    (y[4 * i], y[(4 * i) + 1], y[(4 * i) + 2], y[(4 * i) + 3]) = (a[i], b[i], c[i], d[i]);
                }
            }
        }
    }

    /// <summary>Loop body from depth to space.</summary>
    public static void ToSpace(void* state, int start, int end, int worker)
    {
        SpaceDepthKernel k = *(SpaceDepthKernel*)state;

        // A 4x4 transpose is its own inverse, so the same permutation serves both ways.
        Vector512<int> interleave = Vector512.Create(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
        for (nint row = start; row < end; row++)
        {
            for (int column = 0; column < k.Width; column++)
            {
                float* a = k.Space + (((2 * row * 2 * k.Width) + (2 * column)) * k.SpaceStride);
                float* b = a + k.SpaceStride;
                float* c = a + (2 * (nint)k.Width * k.SpaceStride);
                float* d = c + k.SpaceStride;
                float* x = k.Depth + (((row * k.Width) + column) * k.DepthStride);
                int i = 0;
                for (; i <= k.Channels - 4; i += 4)
                {
                    Vector512<float> blocks = Vector512.Shuffle(Vector512.Load(x + (4 * i)), interleave);
                    blocks.GetLower().GetLower().Store(a + i);
                    blocks.GetLower().GetUpper().Store(b + i);
                    blocks.GetUpper().GetLower().Store(c + i);
                    blocks.GetUpper().GetUpper().Store(d + i);
                }

                for (; i < k.Channels; i++)
                {
                    (a[i], b[i], c[i], d[i]) = (x[4 * i], x[(4 * i) + 1], x[(4 * i) + 2], x[(4 * i) + 3]);
                }
            }
        }
    }
}
