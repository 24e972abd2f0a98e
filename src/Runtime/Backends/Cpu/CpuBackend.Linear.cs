using System.Runtime.Intrinsics;

namespace CoGrpo.Runtime.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    private const int BiasColumns = 64;

    /// <inheritdoc cref="IBackend.Linear"/>
    public void Linear(
        Tensor x,
        Tensor weight,
        Tensor bias,
        Tensor y,
        WeightLayout layout = WeightLayout.OutIn,
        Activation activation = Activation.None,
        Tensor preActivation = default,
        Tensor residual = default,
        Tensor gate = default
    )
    {
        (int m, int k, int n) = (x.Rows, x.Columns, y.Columns);
        Require.Matrix(x, -1, -1);
        Require.Matrix(y, m, -1);
        RequireWeight(weight, n, k, layout);
        Optional(bias, 1, n, nameof(bias));
        Require.That(bias.IsNone || bias.IsContiguous, nameof(bias), bias, "adjacent elements");
        Optional(preActivation, m, n, nameof(preActivation));
        Optional(residual, m, n, nameof(residual));
        if (!gate.IsNone)
        {
            Require.Matrix(gate, -1, n);
            Require.That(gate.Rows > 0 && m % gate.Rows == 0, nameof(gate), gate, $"a number of rows that divides {m}");
        }

        MatrixProduct product = new()
        {
            A = x.F32, ARowStride = x.RowStride, AColumnStride = 1, M = Live(x), N = n, K = k,
            Epilogue = new LinearEpilogue
            {
                Y = y.F32, YStride = y.RowStride, Bias = bias.F32, PreActivation = preActivation.F32, PreActivationStride = preActivation.RowStride,
                Residual = residual.F32, ResidualStride = residual.RowStride, Gate = gate.F32, GateStride = gate.RowStride,
                RowsPerGate = gate.IsNone ? 1 : Math.Max(1, m / gate.Rows), Activation = activation,
            },
        };
        SetWeight(ref product, weight, transposed: layout == WeightLayout.OutIn);
        product.Run(_team);
    }

    /// <inheritdoc cref="IBackend.LinearBackwardInput"/>
    public void LinearBackwardInput(Tensor dy, Tensor weight, Tensor dx, WeightLayout layout, bool accumulate)
    {
        (int m, int n, int k) = (dy.Rows, dy.Columns, dx.Columns);
        Require.Matrix(dy, -1, -1);
        Require.Matrix(dx, m, -1);
        RequireWeight(weight, n, k, layout);
        MatrixProduct product = new()
        {
            A = dy.F32, ARowStride = dy.RowStride, AColumnStride = 1, M = m, N = k, K = n, Epilogue = Sum(dx, accumulate),
        };
        SetWeight(ref product, weight, transposed: layout == WeightLayout.InOut);
        product.Run(_team);
    }

    /// <inheritdoc cref="IBackend.LinearBackwardWeight"/>
    public void LinearBackwardWeight(Tensor dy, Tensor x, Tensor dweight, Tensor dbias, WeightLayout layout)
    {
        (int m, int n, int k) = (dy.Rows, dy.Columns, x.Columns);
        Require.Matrix(dy, -1, -1);
        Require.Matrix(x, m, -1);
        if (!dweight.IsNone)
        {
            RequireWeight(dweight, n, k, layout);
            (Tensor left, Tensor right) = layout == WeightLayout.OutIn ? (dy, x) : (x, dy);
            MatrixProduct product = new()
            {
                A = left.F32, ARowStride = 1, AColumnStride = left.RowStride, B = right.F32, BRowStride = right.RowStride, BColumnStride = 1,
                M = left.Columns, N = right.Columns, K = m, Epilogue = Sum(dweight, accumulate: true),
            };
            product.Run(_team);
        }

        if (!dbias.IsNone)
        {
            Require.Count(dbias, n);
            BiasArguments arguments = new() { Dy = dy.F32, Stride = dy.RowStride, Rows = m, Columns = n, Dbias = dbias.F32 };
            _team.For((n + BiasColumns - 1) / BiasColumns, &BiasRange, &arguments, 1 + (16384 / (Math.Max(1, m) * BiasColumns)));
        }
    }

    private static LinearEpilogue Sum(Tensor y, bool accumulate) => new()
    {
        Y = y.F32, YStride = y.RowStride, Residual = accumulate ? y.F32 : null, ResidualStride = y.RowStride, RowsPerGate = 1,
    };

    private static void SetWeight(ref MatrixProduct product, Tensor weight, bool transposed)
    {
        product.B = weight.F32;
        (product.BRowStride, product.BColumnStride) = transposed ? (1, weight.Columns) : (weight.Columns, 1);
    }

    private static void RequireWeight(Tensor weight, int outputs, int inputs, WeightLayout layout) =>
        Require.Contiguous(weight, layout == WeightLayout.OutIn ? outputs : inputs, layout == WeightLayout.OutIn ? inputs : outputs);

    private static void Optional(Tensor x, int rows, int columns, string name)
    {
        if (!x.IsNone)
        {
            Require.Matrix(x, rows, columns, ElementType.Float32, name);
        }
    }

    private struct BiasArguments
    {
        public float* Dy;
        public nint Stride;
        public int Rows;
        public int Columns;
        public float* Dbias;
    }

    /// <summary>Each column is one sum over the rows in rising order, so no split changes it.</summary>
    private static void BiasRange(void* state, int start, int end, int worker)
    {
        BiasArguments p = *(BiasArguments*)state;
        for (int column = start * BiasColumns; column < Math.Min(end * BiasColumns, p.Columns);)
        {
            int left = p.Columns - column;
            float* dy = p.Dy + column;
            float* dbias = p.Dbias + column;
            if (left >= BiasColumns)
            {
                Vector512<float> s0 = Vector512<float>.Zero, s1 = s0, s2 = s0, s3 = s0;
                for (int r = 0; r < p.Rows; r++, dy += p.Stride)
                {
                    s0 += Vector512.Load(dy);
                    s1 += Vector512.Load(dy + 16);
                    s2 += Vector512.Load(dy + 32);
                    s3 += Vector512.Load(dy + 48);
                }

                (Vector512.Load(dbias) + s0).Store(dbias);
                (Vector512.Load(dbias + 16) + s1).Store(dbias + 16);
                (Vector512.Load(dbias + 32) + s2).Store(dbias + 32);
                (Vector512.Load(dbias + 48) + s3).Store(dbias + 48);
                column += BiasColumns;
            }
            else
            {
                int count = Math.Min(left, 16);
                Vector512<float> s = Vector512<float>.Zero;
                for (int r = 0; r < p.Rows; r++, dy += p.Stride)
                {
                    s += count == 16 ? Vector512.Load(dy) : Lanes.LoadTail(dy, count);
                }

                Lanes.StoreTail(Lanes.LoadTail(dbias, count) + s, dbias, count);
                column += count;
            }
        }
    }
}
