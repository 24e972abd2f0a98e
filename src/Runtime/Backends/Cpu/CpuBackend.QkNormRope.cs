namespace CoGrpo.Runtime.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc cref="IBackend.QkNormRope"/>
    public void QkNormRope(Tensor x, Tensor weight, Tensor cos, Tensor sin, Tensor y, int firstRow, Tensor rstd, int heads, float epsilon)
    {
        QkNormRopeKernel args = QkNormRopeShapes(x, weight, cos, sin, y, firstRow, rstd, heads);
        args.Epsilon = epsilon;
        _team.For(x.Rows, &QkNormRopeKernel.Forward, &args);
    }

    /// <inheritdoc cref="IBackend.QkNormRopeBackward"/>
    public void QkNormRopeBackward(
        Tensor dy,
        Tensor x,
        Tensor weight,
        Tensor cos,
        Tensor sin,
        Tensor rstd,
        int firstRow,
        Tensor dx,
        Tensor dweight,
        int heads
    )
    {
        QkNormRopeKernel args = QkNormRopeShapes(x, weight, cos, sin, dy, firstRow, rstd, heads);
        Require.Matrix(dx, x.Rows, x.Columns);
        args.DX = dx.F32;
        args.DXStride = dx.RowStride;
        int width = args.Width;
        int blocks = args.Images * args.BlocksPerImage;
        if (!dweight.IsNone)
        {
            Require.Count(dweight, width);

            // Safe beside the workers' own use of scratch: the body asks for none.
            args.Partial = (float*)_team.Scratch(0, (nuint)blocks * (nuint)args.WidthPadded * sizeof(float));
        }

        _team.For(blocks, &QkNormRopeKernel.Backward, &args);
        if (!dweight.IsNone)
        {
            // Block by block onto the old value: a batch given in two calls leaves the same bits as in one.
            float* sum = dweight.F32;
            for (int block = 0; block < blocks; block++)
            {
                float* partial = args.Partial + ((nint)block * args.WidthPadded);
                for (int d = 0; d < width; d++)
                {
                    sum[d] += partial[d];
                }
            }
        }
    }

    private static QkNormRopeKernel QkNormRopeShapes(Tensor x, Tensor weight, Tensor cos, Tensor sin, Tensor y, int firstRow, Tensor rstd, int heads)
    {
        Require.Rank(x, 3);
        Require.Rank(y, 3);
        Require.Matrix(x, -1, -1);
        Require.That(heads > 0 && x.Columns > 0 && x.Columns % (2 * heads) == 0, nameof(x), x, "heads of even width as its fastest dimension");
        int width = x.Columns / heads;
        Require.Matrix(y, -1, x.Columns);
        Require.That(y.Shape[0] == x.Shape[0] && firstRow >= 0 && firstRow + x.Shape[1] <= y.Shape[1], nameof(y), y,
            "as many images as x and room for its tokens from the first row on");
        Require.Count(weight, width);
        Require.Matrix(cos, -1, width / 2);
        Require.Matrix(sin, -1, width / 2);
        Require.That(cos.Rows >= firstRow + x.Shape[1], nameof(cos), cos, "a row for every token of x from the first row on");
        Require.That(sin.Rows >= firstRow + x.Shape[1], nameof(sin), sin, "a row for every token of x from the first row on");
        Require.Count(rstd, (long)x.Rows * heads);
        return new QkNormRopeKernel
        {
            X = x.F32,
            XStride = x.RowStride,
            Weight = weight.F32,
            Cos = cos.F32,
            CosStride = cos.RowStride,
            Sin = sin.F32,
            SinStride = sin.RowStride,
            Y = y.F32,
            YStride = y.RowStride,
            Rstd = rstd.F32,
            Images = x.Shape[0],
            Length = x.Shape[1],
            Tokens = y.Shape[1],
            FirstRow = firstRow,
            Heads = heads,
            Width = width,
        };
    }
}
