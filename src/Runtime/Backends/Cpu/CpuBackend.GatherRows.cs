namespace CoGrpo.Runtime.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc cref="IBackend.GatherRows"/>
    public void GatherRows(Tensor x, Tensor rows, Tensor y)
    {
        Require.Matrix(x, -1, -1);
        Require.Count(rows, rows.Shape.Count, ElementType.Int32);
        Require.Matrix(y, (int)rows.Shape.Count, x.Columns);
        int live = Live(rows);
        RequireIndices(new Tensor(rows.Address, new Shape(live), rows.Type), x.Rows, nameof(rows));
        GatherRowsKernel kernel = new() { X = x.F32, XStride = x.RowStride, Y = y.F32, YStride = y.RowStride, Map = rows.I32, Columns = x.Columns };
        _team.For(live, &GatherRowsKernel.Forward, &kernel, RowGrain(x.Columns));
    }

    /// <inheritdoc cref="IBackend.GatherRowsBackward"/>
    public void GatherRowsBackward(Tensor dy, Tensor rows, Tensor dx, bool accumulate)
    {
        Require.Matrix(dx, -1, -1);
        Require.Count(rows, rows.Shape.Count, ElementType.Int32);
        Require.Matrix(dy, (int)rows.Shape.Count, dx.Columns);
        RequireIndices(rows, dx.Rows, nameof(rows));
        GatherRowsKernel kernel = new()
        {
            X = dx.F32,
            XStride = dx.RowStride,
            Y = dy.F32,
            YStride = dy.RowStride,
            Columns = dx.Columns,
        };
        if (accumulate)
        {
            kernel.Map = rows.I32;
            _team.For(dy.Rows, &GatherRowsKernel.ScatterAdd, &kernel, RowGrain(dx.Columns));
            return;
        }

        // The inverse map lets every row of dx be written once, instead of cleared and then written again.
        int* inverse = (int*)_team.Scratch(0, (nuint)dx.Rows * sizeof(int));
        new Span<int>(inverse, dx.Rows).Fill(-1);
        for (int r = 0; r < dy.Rows; r++)
        {
            inverse[rows.I32[r]] = r;
        }

        kernel.Map = inverse;
        _team.For(dx.Rows, &GatherRowsKernel.Scatter, &kernel, RowGrain(dx.Columns));
    }

    private struct GatherRowsKernel
    {
        public float* X, Y;
        public int* Map;
        public int XStride, YStride, Columns;

        public static void Forward(void* state, int start, int end, int worker)
        {
            GatherRowsKernel k = *(GatherRowsKernel*)state;
            for (nint r = start; r < end; r++)
            {
                new ReadOnlySpan<float>(k.X + ((nint)k.Map[r] * k.XStride), k.Columns).CopyTo(new Span<float>(k.Y + (r * k.YStride), k.Columns));
            }
        }

        public static void Scatter(void* state, int start, int end, int worker)
        {
            GatherRowsKernel k = *(GatherRowsKernel*)state;
            for (nint m = start; m < end; m++)
            {
                Span<float> dx = new(k.X + (m * k.XStride), k.Columns);
                if (k.Map[m] < 0)
                {
                    dx.Clear();
                }
                else
                {
                    new ReadOnlySpan<float>(k.Y + ((nint)k.Map[m] * k.YStride), k.Columns).CopyTo(dx);
                }
            }
        }

        public static void ScatterAdd(void* state, int start, int end, int worker)
        {
            GatherRowsKernel k = *(GatherRowsKernel*)state;
            for (nint r = start; r < end; r++)
            {
                Lanes.AddTo(k.X + ((nint)k.Map[r] * k.XStride), k.Y + (r * k.YStride), k.Columns);
            }
        }
    }
}
