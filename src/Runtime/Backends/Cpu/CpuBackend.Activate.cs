using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CoGrpo.Runtime.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc cref="IBackend.Activate"/>
    public void Activate(Tensor x, Tensor y, Activation activation)
    {
        Require.Matrix(x, -1, -1);
        Require.Matrix(y, x.Rows, x.Columns);
        ActivationArguments arguments = new()
        {
            X = x.F32, XStride = x.RowStride, Y = y.F32, YStride = y.RowStride, Columns = x.Columns, Activation = activation,
        };
        _team.For(x.Rows, &ActivateRows, &arguments, 1 + (8192 / Math.Max(1, x.Columns)));
    }

    /// <inheritdoc cref="IBackend.ActivateBackward"/>
    public void ActivateBackward(Tensor dy, Tensor x, Tensor dx, Activation activation, bool accumulate = false)
    {
        Require.Matrix(dy, -1, -1);
        Require.Matrix(x, dy.Rows, dy.Columns);
        Require.Matrix(dx, dy.Rows, dy.Columns);
        ActivationArguments arguments = new()
        {
            X = x.F32, XStride = x.RowStride, Y = dx.F32, YStride = dx.RowStride, Dy = dy.F32, DyStride = dy.RowStride, Columns = x.Columns,
            Activation = activation, Accumulate = accumulate,
        };
        _team.For(x.Rows, &ActivateBackwardRows, &arguments, 1 + (8192 / Math.Max(1, x.Columns)));
    }

    private struct ActivationArguments
    {
        public float* X;
        public nint XStride;
        public float* Y;
        public nint YStride;
        public float* Dy;
        public nint DyStride;
        public int Columns;
        public Activation Activation;
        public bool Accumulate;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ActivateRows(void* state, int start, int end, int worker)
    {
        ActivationArguments p = *(ActivationArguments*)state;
        for (int row = start; row < end; row++)
        {
            float* x = p.X + (row * p.XStride);
            float* y = p.Y + (row * p.YStride);
            int j = 0;
            for (; j + 16 <= p.Columns; j += 16)
            {
                ActivationMath.Value(Vector512.Load(x + j), p.Activation).Store(y + j);
            }

            if (j < p.Columns)
            {
                Lanes.StoreTail(ActivationMath.Value(Lanes.LoadTail(x + j, p.Columns - j), p.Activation), y + j, p.Columns - j);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ActivateBackwardRows(void* state, int start, int end, int worker)
    {
        ActivationArguments p = *(ActivationArguments*)state;
        for (int row = start; row < end; row++)
        {
            float* x = p.X + (row * p.XStride);
            float* dx = p.Y + (row * p.YStride);
            float* dy = p.Dy + (row * p.DyStride);
            int j = 0;
            for (; j + 16 <= p.Columns; j += 16)
            {
                Vector512<float> d = Vector512.Load(dy + j) * ActivationMath.Derivative(Vector512.Load(x + j), p.Activation);
                (p.Accumulate ? Vector512.Load(dx + j) + d : d).Store(dx + j);
            }

            if (j < p.Columns)
            {
                int count = p.Columns - j;
                Vector512<float> d = Lanes.LoadTail(dy + j, count) * ActivationMath.Derivative(Lanes.LoadTail(x + j, count), p.Activation);
                Lanes.StoreTail(p.Accumulate ? Lanes.LoadTail(dx + j, count) + d : d, dx + j, count);
            }
        }
    }
}
