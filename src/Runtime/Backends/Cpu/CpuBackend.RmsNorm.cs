using System.Runtime.Intrinsics;

namespace CoGrpo.Runtime.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc cref="IBackend.RmsNorm"/>
    public void RmsNorm(Tensor x, Tensor weight, Tensor y, Tensor rstd, float epsilon)
    {
        Require.Matrix(x, -1, -1);
        Require.Matrix(y, x.Rows, x.Columns);
        Require.Count(weight, x.Columns);
        Require.Count(rstd, x.Rows);
        RmsNormKernel kernel = new()
        {
            X = x.F32,
            XStride = x.RowStride,
            Y = y.F32,
            YStride = y.RowStride,
            Weight = weight.F32,
            Rstd = rstd.F32,
            Columns = x.Columns,
            Epsilon = epsilon,
        };
        _team.For(Live(x), &RmsNormKernel.Forward, &kernel, RowGrain(x.Columns));
    }

    /// <inheritdoc cref="IBackend.RmsNormBackward"/>
    public void RmsNormBackward(Tensor dy, Tensor x, Tensor weight, Tensor rstd, Tensor dx, bool accumulate, Tensor dweight)
    {
        Require.Matrix(x, -1, -1);
        Require.Matrix(dy, x.Rows, x.Columns);
        Require.Matrix(dx, x.Rows, x.Columns);
        Require.Count(weight, x.Columns);
        Require.Count(rstd, x.Rows);
        if (!dweight.IsNone)
        {
            Require.Count(dweight, x.Columns);
        }

        int blocks = ColumnSums.Blocks(x.Rows);
        RmsNormKernel kernel = new()
        {
            X = x.F32,
            XStride = x.RowStride,
            Y = dy.F32,
            YStride = dy.RowStride,
            Dx = dx.F32,
            DxStride = dx.RowStride,
            Weight = weight.F32,
            Rstd = rstd.F32,
            Partials = dweight.IsNone || blocks == 0 ? null : (float*)_team.Scratch(0, (nuint)blocks * (nuint)x.Columns * sizeof(float)),
            Rows = x.Rows,
            Columns = x.Columns,
            Accumulate = accumulate,
        };
        _team.For(blocks, &RmsNormKernel.Backward, &kernel, BlockGrain(x.Columns));
        if (kernel.Partials != null)
        {
            ColumnSums.Accumulate(_team, kernel.Partials, 1, blocks, 1, x.Columns, dweight);
        }
    }

    private struct RmsNormKernel
    {
        public float* X, Y, Dx, Weight, Rstd, Partials;
        public int XStride, YStride, DxStride, Rows, Columns;
        public float Epsilon;
        public bool Accumulate;

        public static void Forward(void* state, int start, int end, int worker)
        {
            RmsNormKernel k = *(RmsNormKernel*)state;
            int columns = k.Columns;
            float* weight = k.Weight;
            for (int row = start; row < end; row++)
            {
                float* x = k.X + ((nint)row * k.XStride);
                float* y = k.Y + ((nint)row * k.YStride);
                float rstd = 1f / MathF.Sqrt((Lanes.RowSumOfSquares(x, columns, 0f) / columns) + k.Epsilon);
                k.Rstd[row] = rstd;
                Vector512<float> r = Vector512.Create(rstd);
                int c = 0;
                for (; c <= columns - Lanes.Count; c += Lanes.Count)
                {
                    (Vector512.Load(x + c) * r * Vector512.Load(weight + c)).Store(y + c);
                }

                if (c < columns)
                {
                    Lanes.StoreTail(Lanes.LoadTail(x + c, columns - c) * r * Lanes.LoadTail(weight + c, columns - c), y + c, columns - c);
                }
            }
        }

        public static void Backward(void* state, int start, int end, int worker)
        {
            RmsNormKernel k = *(RmsNormKernel*)state;
            for (int block = start; block < end; block++)
            {
                float* sums = null;
                if (k.Partials != null)
                {
                    sums = k.Partials + ((nint)block * k.Columns);
                    new Span<float>(sums, k.Columns).Clear();
                }

                int last = Math.Min(k.Rows, (block + 1) * ColumnSums.BlockRows);
                for (int row = block * ColumnSums.BlockRows; row < last; row++)
                {
                    BackwardRow(k, row, sums);
                }
            }
        }

        /// <summary>dx = rstd (g - n mean(g ⊙ n)) with n = x rstd and g = dy ⊙ weight.</summary>
        private static void BackwardRow(in RmsNormKernel k, int row, float* sums)
        {
            int columns = k.Columns;
            float* x = k.X + ((nint)row * k.XStride);
            float* dy = k.Y + ((nint)row * k.YStride);
            float* dx = k.Dx + ((nint)row * k.DxStride);
            float* weight = k.Weight;
            Vector512<float> rstd = Vector512.Create(k.Rstd[row]);
            Vector512<float> sum = Vector512<float>.Zero;
            int c = 0;
            for (; c <= columns - Lanes.Count; c += Lanes.Count)
            {
                Vector512<float> product = Vector512.Load(dy + c) * (Vector512.Load(x + c) * rstd);
                sum = Vector512.FusedMultiplyAdd(product, Vector512.Load(weight + c), sum);
                if (sums != null)
                {
                    (Vector512.Load(sums + c) + product).Store(sums + c);
                }
            }

            if (c < columns)
            {
                int left = columns - c;
                Vector512<float> product = Lanes.LoadTail(dy + c, left) * (Lanes.LoadTail(x + c, left) * rstd);
                sum = Vector512.FusedMultiplyAdd(product, Lanes.LoadTail(weight + c, left), sum);
                if (sums != null)
                {
                    Lanes.StoreTail(Lanes.LoadTail(sums + c, left) + product, sums + c, left);
                }
            }

            Vector512<float> mean = Vector512.Create(Lanes.Sum(sum) / columns);
            bool accumulate = k.Accumulate;
            for (c = 0; c <= columns - Lanes.Count; c += Lanes.Count)
            {
                Vector512<float> g = Vector512.Load(dy + c) * Vector512.Load(weight + c);
                Vector512<float> result = rstd * Vector512.FusedMultiplyAdd(-(Vector512.Load(x + c) * rstd), mean, g);
                (accumulate ? Vector512.Load(dx + c) + result : result).Store(dx + c);
            }

            if (c < columns)
            {
                int left = columns - c;
                Vector512<float> g = Lanes.LoadTail(dy + c, left) * Lanes.LoadTail(weight + c, left);
                Vector512<float> result = rstd * Vector512.FusedMultiplyAdd(-(Lanes.LoadTail(x + c, left) * rstd), mean, g);
                Lanes.StoreTail(accumulate ? Lanes.LoadTail(dx + c, left) + result : result, dx + c, left);
            }
        }
    }
}
