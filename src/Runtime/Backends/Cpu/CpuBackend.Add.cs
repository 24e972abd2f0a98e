using System.Runtime.Intrinsics;

namespace CoGrpo.Runtime.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc cref="IBackend.Add"/>
    public void Add(Tensor a, Tensor b, Tensor y, bool accumulate = false)
    {
        Require.Matrix(a, -1, -1);
        Require.Matrix(y, a.Rows, a.Columns);
        if (!b.IsNone)
        {
            Require.Matrix(b, a.Rows, a.Columns);
        }
        else if (!accumulate)
        {
            if (a.Address != y.Address)
            {
                Copy(a, y);
            }

            return;
        }

        ElementRuns runs = new(a.Shape, a.IsContiguous && y.IsContiguous && (b.IsNone || b.IsContiguous));
        AddKernel kernel = new()
        {
            A = a.F32,
            AStride = runs.Stride(a),
            B = b.F32,
            BStride = b.IsNone ? 0 : runs.Stride(b),
            Y = y.F32,
            YStride = runs.Stride(y),
            Accumulate = accumulate,
            Runs = runs,
        };
        _team.For(runs.Items, &AddKernel.Run, &kernel, RowGrain(runs.Length));
    }

    private struct AddKernel
    {
        public float* A, B, Y;
        public int AStride, BStride, YStride;
        public bool Accumulate;
        public ElementRuns Runs;

        public static void Run(void* state, int start, int end, int worker)
        {
            AddKernel k = *(AddKernel*)state;
            for (nint item = start; item < end; item++)
            {
                float* a = k.A + (item * k.AStride);
                float* y = k.Y + (item * k.YStride);
                int length = k.Runs.LengthOf((int)item);
                if (k.B == null)
                {
                    Lanes.AddTo(y, a, length);
                    continue;
                }

                float* b = k.B + (item * k.BStride);
                bool accumulate = k.Accumulate;
                int i = 0;
                for (; i <= length - Lanes.Count; i += Lanes.Count)
                {
                    Vector512<float> va = Vector512.Load(a + i);
                    ((accumulate ? Vector512.Load(y + i) + va : va) + Vector512.Load(b + i)).Store(y + i);
                }

                for (; i < length; i++)
                {
                    y[i] = (accumulate ? y[i] + a[i] : a[i]) + b[i];
                }
            }
        }
    }
}
