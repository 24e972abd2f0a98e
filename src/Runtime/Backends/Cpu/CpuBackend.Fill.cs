namespace CoGrpo.Runtime.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc cref="IBackend.Fill"/>
    public void Fill(Tensor x, float value)
    {
        Require.Matrix(x, -1, -1);
        ElementRuns runs = new(x.Shape, x.IsContiguous);
        FillKernel kernel = new() { X = x.F32, Stride = runs.Stride(x), Value = value, Runs = runs };
        _team.For(runs.Items, &FillKernel.Run, &kernel, RowGrain(runs.Length));
    }

    private struct FillKernel
    {
        public float* X;
        public int Stride;
        public float Value;
        public ElementRuns Runs;

        public static void Run(void* state, int start, int end, int worker)
        {
            FillKernel k = *(FillKernel*)state;
            for (int item = start; item < end; item++)
            {
                new Span<float>(k.X + ((nint)item * k.Stride), k.Runs.LengthOf(item)).Fill(k.Value);
            }
        }
    }
}
