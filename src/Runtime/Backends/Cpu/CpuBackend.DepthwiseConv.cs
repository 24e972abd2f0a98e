namespace CoGrpo.Runtime.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc cref="IBackend.DepthwiseConv"/>
    public void DepthwiseConv(Tensor x, Tensor weight, Tensor bias, Tensor y)
    {
        DepthwiseConvKernel kernel = DepthwiseConvArguments(x, weight, y);
        Require.Count(bias, x.Columns);
        kernel.Bias = bias.F32;
        kernel.Taps = DepthwiseTaps(weight, x.Columns, 0);
        _team.For(kernel.Images * kernel.OutHeight, &DepthwiseConvKernel.Forward, &kernel, RowGrain(9 * kernel.OutWidth * kernel.Channels));
    }

    /// <inheritdoc cref="IBackend.DepthwiseConvBackward"/>
    public void DepthwiseConvBackward(Tensor dy, Tensor x, Tensor weight, Tensor dx, Tensor dweight, Tensor dbias)
    {
        DepthwiseConvKernel kernel = DepthwiseConvArguments(x, weight, dy);
        Require.Count(dweight, 9L * x.Columns);
        Require.Count(dbias, x.Columns);
        int blocks = kernel.Images * kernel.BlocksPerImage;
        kernel.Taps = DepthwiseTaps(weight, x.Columns, 10 * (long)blocks * x.Columns);
        kernel.Partials = kernel.Taps + (9 * (nint)x.Columns);
        if (!dx.IsNone)
        {
            Require.Matrix(dx, x.Rows, x.Columns);
            kernel.Dx = dx.F32;
            kernel.DxStride = dx.RowStride;
            _team.For(kernel.Images * kernel.Height, &DepthwiseConvKernel.InputGradient, &kernel, RowGrain(3 * kernel.Width * kernel.Channels));
        }

        if (blocks == 0)
        {
            return;
        }

        kernel.Dweight = dweight.F32;
        kernel.Dbias = dbias.F32;
        _team.For(blocks, &DepthwiseConvKernel.WeightGradient, &kernel);
        _team.For(kernel.Channels, &DepthwiseConvKernel.CombineWeightGradient, &kernel, RowGrain(10 * blocks));
    }

    private static DepthwiseConvKernel DepthwiseConvArguments(Tensor x, Tensor weight, Tensor y)
    {
        Require.Rank(x, 4);
        Require.Rank(y, 4);
        Require.Matrix(x, -1, -1);
        Require.Matrix(y, -1, x.Columns);
        Require.Count(weight, 9L * x.Columns);
        Require.That(y.Shape[0] == x.Shape[0] && y.Shape[1] == (x.Shape[1] + 1) / 2 && y.Shape[2] == (x.Shape[2] + 1) / 2, nameof(y), y,
            "the images of x at half height and width, rounded up");
        return new DepthwiseConvKernel
        {
            X = x.F32,
            XStride = x.RowStride,
            Y = y.F32,
            YStride = y.RowStride,
            Images = x.Shape[0],
            Height = x.Shape[1],
            Width = x.Shape[2],
            Channels = x.Shape[3],
            OutHeight = y.Shape[1],
            OutWidth = y.Shape[2],
        };
    }

    /// <summary>The weight as [9,C], followed by room for <paramref name="extra"/> floats: a tap's channels side by side fill a vector.</summary>
    private float* DepthwiseTaps(Tensor weight, int channels, long extra)
    {
        float* taps = (float*)_team.Scratch(0, (nuint)((9L * channels) + extra) * sizeof(float));
        for (int c = 0; c < channels; c++)
        {
            for (int tap = 0; tap < 9; tap++)
            {
                taps[(tap * (nint)channels) + c] = weight.F32[(c * (nint)9) + tap];
            }
        }

        return taps;
    }
}
