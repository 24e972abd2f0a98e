using System.Runtime.Intrinsics;

namespace CoGrpo.Runtime.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc cref="IBackend.AreaMean"/>
    public void AreaMean(Tensor x, Tensor y)
    {
        AreaMeanKernel kernel = AreaMeanArguments(x, y);
        _team.For(y.Rows, &AreaMeanKernel.Forward, &kernel, RowGrain(kernel.BlockHeight * kernel.BlockWidth * kernel.Channels));
    }

    /// <inheritdoc cref="IBackend.AreaMeanBackward"/>
    public void AreaMeanBackward(Tensor dy, Tensor dx)
    {
        AreaMeanKernel kernel = AreaMeanArguments(dx, dy);
        _team.For(dx.Rows, &AreaMeanKernel.Backward, &kernel, RowGrain(kernel.Channels));
    }

    private static AreaMeanKernel AreaMeanArguments(Tensor x, Tensor y)
    {
        Require.Rank(x, 4);
        Require.Rank(y, 4);
        Require.Matrix(x, -1, -1);
        Require.Matrix(y, -1, x.Columns);
        Shape s = x.Shape, t = y.Shape;
        Require.That(s[0] == t[0] && t[1] > 0 && t[2] > 0 && s[1] % t[1] == 0 && s[2] % t[2] == 0, nameof(y), y,
            "the images of x with sizes that divide its height and width");
        return new AreaMeanKernel
        {
            X = x.F32,
            XStride = x.RowStride,
            Y = y.F32,
            YStride = y.RowStride,
            Height = s[1],
            Width = s[2],
            Channels = s[3],
            OutHeight = t[1],
            OutWidth = t[2],
            BlockHeight = s[1] / t[1],
            BlockWidth = s[2] / t[2],
        };
    }

    private struct AreaMeanKernel
    {
        public float* X, Y;
        public int XStride, YStride, Height, Width, Channels, OutHeight, OutWidth, BlockHeight, BlockWidth;

        public static void Forward(void* state, int start, int end, int worker)
        {
            AreaMeanKernel k = *(AreaMeanKernel*)state;
            Vector512<float> count = Vector512.Create((float)(k.BlockHeight * k.BlockWidth));
            for (int item = start; item < end; item++)
            {
                int ox = item % k.OutWidth;
                int oy = item / k.OutWidth % k.OutHeight;
                nint image = item / k.OutWidth / k.OutHeight;
                float* x = k.X + ((((image * k.Height) + (oy * k.BlockHeight)) * k.Width) + (ox * k.BlockWidth)) * k.XStride;
                float* y = k.Y + ((nint)item * k.YStride);
                for (int c = 0; c < k.Channels; c += Lanes.Count)
                {
                    Vector512<float> sum = Vector512<float>.Zero;
                    for (nint i = 0; i < k.BlockHeight; i++)
                    {
                        for (nint j = 0; j < k.BlockWidth; j++)
                        {
                            sum += Lanes.Load(x + (((i * k.Width) + j) * k.XStride) + c, k.Channels - c);
                        }
                    }

                    Lanes.Store(sum / count, y + c, k.Channels - c);
                }
            }
        }

        public static void Backward(void* state, int start, int end, int worker)
        {
            AreaMeanKernel k = *(AreaMeanKernel*)state;
            Vector512<float> count = Vector512.Create((float)(k.BlockHeight * k.BlockWidth));
            for (int item = start; item < end; item++)
            {
                int ox = item % k.Width / k.BlockWidth;
                int oy = item / k.Width % k.Height / k.BlockHeight;
                nint image = item / k.Width / k.Height;
                float* dy = k.Y + (((((image * k.OutHeight) + oy) * k.OutWidth) + ox) * k.YStride);
                float* dx = k.X + ((nint)item * k.XStride);
                for (int c = 0; c < k.Channels; c += Lanes.Count)
                {
                    Lanes.Store(Lanes.Load(dy + c, k.Channels - c) / count, dx + c, k.Channels - c);
                }
            }
        }
    }
}
