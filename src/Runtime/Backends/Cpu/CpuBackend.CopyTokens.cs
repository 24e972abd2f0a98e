namespace CoGrpo.Runtime.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc cref="IBackend.CopyTokens"/>
    public void CopyTokens(Tensor x, int xFirst, Tensor y, int yFirst, int count, bool accumulate = false)
    {
        Require.Rank(x, 3);
        Require.Rank(y, 3);
        Require.Matrix(x, -1, -1);
        Require.Matrix(y, -1, x.Columns);
        Require.That(y.Shape[0] == x.Shape[0], nameof(y), y, "as many images as x");
        Require.That(xFirst >= 0 && count >= 0 && xFirst + count <= x.Shape[1], nameof(x), x, "tokens [xFirst, xFirst + count)");
        Require.That(yFirst >= 0 && yFirst + count <= y.Shape[1], nameof(y), y, "tokens [yFirst, yFirst + count)");
        CopyTokensKernel kernel = new()
        {
            X = x.F32 + ((nint)xFirst * x.RowStride),
            XStride = x.RowStride,
            XTokens = x.Shape[1],
            Y = y.F32 + ((nint)yFirst * y.RowStride),
            YStride = y.RowStride,
            YTokens = y.Shape[1],
            Count = count,
            Columns = x.Columns,
            Accumulate = accumulate,
        };
        _team.For(x.Shape[0] * count, &CopyTokensKernel.Run, &kernel, RowGrain(x.Columns));
    }

    private struct CopyTokensKernel
    {
        public float* X, Y;
        public int XStride, XTokens, YStride, YTokens, Count, Columns;
        public bool Accumulate;

        public static void Run(void* state, int start, int end, int worker)
        {
            CopyTokensKernel k = *(CopyTokensKernel*)state;
            for (int item = start; item < end; item++)
            {
                nint image = item / k.Count;
                nint token = item % k.Count;
                float* x = k.X + (((image * k.XTokens) + token) * k.XStride);
                float* y = k.Y + (((image * k.YTokens) + token) * k.YStride);
                if (k.Accumulate)
                {
                    Lanes.AddTo(y, x, k.Columns);
                }
                else
                {
                    new ReadOnlySpan<float>(x, k.Columns).CopyTo(new Span<float>(y, k.Columns));
                }
            }
        }
    }
}
