using System.Runtime.Intrinsics;

namespace CoGrpo.Runtime.Backends.Cpu;

/// <summary>Loop bodies of the depthwise 3x3 convolution with stride 2 and padding 1, channels last.</summary>
internal unsafe struct DepthwiseConvKernel
{
    private const int BlockRows = 8;

    /// <summary>Input, and output or its gradient.</summary>
    public float* X, Y;

    /// <summary>[9,C] weights and [C] bias.</summary>
    public float* Taps, Bias;

    /// <summary>Gradient of the input, or null.</summary>
    public float* Dx;

    /// <summary>Gradients [C,9] and [C], and the sums per block of output rows they are made of: [blocks,10,C], bias last.</summary>
    public float* Dweight, Dbias, Partials;

    /// <summary>Distances between pixels.</summary>
    public int XStride, YStride, DxStride;

    /// <summary>Sizes.</summary>
    public int Images, Height, Width, Channels, OutHeight, OutWidth;

    /// <summary>Blocks of output rows per image.</summary>
    public readonly int BlocksPerImage => (OutHeight + BlockRows - 1) / BlockRows;

    /// <summary>Loop body over rows of the output.</summary>
    public static void Forward(void* state, int start, int end, int worker)
    {
        DepthwiseConvKernel k = *(DepthwiseConvKernel*)state;
        for (int item = start; item < end; item++)
        {
            int image = item / k.OutHeight;
            int oy = item % k.OutHeight;
            for (int ox = 0; ox < k.OutWidth; ox++)
            {
                float* y = k.Y + (((nint)item * k.OutWidth) + ox) * k.YStride;
                for (int c = 0; c < k.Channels; c += Lanes.Count)
                {
                    int left = k.Channels - c;
                    Vector512<float> sum = Lanes.Load(k.Bias + c, left);
                    for (int tap = 0; tap < 9; tap++)
                    {
                        float* x = k.Input(image, (2 * oy) - 1 + (tap / 3), (2 * ox) - 1 + (tap % 3));
                        if (x != null)
                        {
                            sum = Vector512.FusedMultiplyAdd(Lanes.Load(x + c, left), Lanes.Load(k.Taps + (tap * (nint)k.Channels) + c, left), sum);
                        }
                    }

                    Lanes.Store(sum, y + c, left);
                }
            }
        }
    }

    /// <summary>Loop body over rows of the input: every pixel gathers from the at most four outputs that saw it.</summary>
    public static void InputGradient(void* state, int start, int end, int worker)
    {
        DepthwiseConvKernel k = *(DepthwiseConvKernel*)state;
        for (int item = start; item < end; item++)
        {
            int image = item / k.Height;
            int iy = item % k.Height;
            for (int ix = 0; ix < k.Width; ix++)
            {
                float* dx = k.Dx + (((nint)item * k.Width) + ix) * k.DxStride;
                for (int c = 0; c < k.Channels; c += Lanes.Count)
                {
                    int left = k.Channels - c;
                    Vector512<float> sum = Vector512<float>.Zero;
                    for (int tap = 0; tap < 9; tap++)
                    {
                        // Output (oy, ox) reads the input at 2 o - 1 + tap in each direction.
                        int y2 = iy + 1 - (tap / 3);
                        int x2 = ix + 1 - (tap % 3);
                        if (((y2 | x2) & 1) != 0 || y2 < 0 || x2 < 0 || y2 / 2 >= k.OutHeight || x2 / 2 >= k.OutWidth)
                        {
                            continue;
                        }

                        float* dy = k.Output(image, y2 / 2, x2 / 2);
                        sum = Vector512.FusedMultiplyAdd(Lanes.Load(dy + c, left), Lanes.Load(k.Taps + (tap * (nint)k.Channels) + c, left), sum);
                    }

                    Lanes.Store(sum, dx + c, left);
                }
            }
        }
    }

    /// <summary>Loop body over blocks of output rows.</summary>
    public static void WeightGradient(void* state, int start, int end, int worker)
    {
        DepthwiseConvKernel k = *(DepthwiseConvKernel*)state;
        int blocks = k.BlocksPerImage;
        for (int block = start; block < end; block++)
        {
            int image = block / blocks;
            int first = block % blocks * BlockRows;
            int last = Math.Min(k.OutHeight, first + BlockRows);
            for (int tap = 0; tap < 10; tap++)
            {
                for (int c = 0; c < k.Channels; c += Lanes.Count)
                {
                    int left = k.Channels - c;
                    Vector512<float> sum = Vector512<float>.Zero;
                    for (int oy = first; oy < last; oy++)
                    {
                        for (int ox = 0; ox < k.OutWidth; ox++)
                        {
                            Vector512<float> dy = Lanes.Load(k.Output(image, oy, ox) + c, left);
                            if (tap == 9)
                            {
                                sum += dy;
                                continue;
                            }

                            float* x = k.Input(image, (2 * oy) - 1 + (tap / 3), (2 * ox) - 1 + (tap % 3));
                            if (x != null)
                            {
                                sum = Vector512.FusedMultiplyAdd(dy, Lanes.Load(x + c, left), sum);
                            }
                        }
                    }

                    Lanes.Store(sum, k.Partials + ((((nint)block * 10) + tap) * k.Channels) + c, left);
                }
            }
        }
    }

    /// <summary>Loop body over channels: adds the sums of all blocks in block order.</summary>
    public static void CombineWeightGradient(void* state, int start, int end, int worker)
    {
        DepthwiseConvKernel k = *(DepthwiseConvKernel*)state;
        int blocks = k.Images * k.BlocksPerImage;
        for (nint c = start; c < end; c++)
        {
            for (nint tap = 0; tap < 10; tap++)
            {
                float sum = 0f;
                for (nint block = 0; block < blocks; block++)
                {
                    sum += k.Partials[(((block * 10) + tap) * k.Channels) + c];
                }

                if (tap == 9)
                {
                    k.Dbias[c] += sum;
                }
                else
                {
                    k.Dweight[(c * 9) + tap] += sum;
                }
            }
        }
    }

    private readonly float* Input(int image, int y, int x) =>
        (uint)y < (uint)Height && (uint)x < (uint)Width ? X + (((((nint)image * Height) + y) * Width) + x) * XStride : null;

    private readonly float* Output(int image, int y, int x) => Y + (((((nint)image * OutHeight) + y) * OutWidth) + x) * YStride;
}
