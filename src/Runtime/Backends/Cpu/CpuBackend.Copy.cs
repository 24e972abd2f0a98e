namespace CoGrpo.Runtime.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc cref="IBackend.Copy"/>
    public void Copy(Tensor x, Tensor y)
    {
        Require.Matrix(x, -1, -1, x.Type);
        Require.Matrix(y, x.Rows, x.Columns, x.Type);
        ElementRuns runs = new(new Shape(x.Shape.Rank == 1 ? 1 : Live(x), x.Columns), x.IsContiguous && y.IsContiguous);
        int size = x.Type.Size();
        CopyKernel kernel = new()
        {
            X = (byte*)x.Address,
            XStride = (nint)runs.Stride(x) * size,
            Y = (byte*)y.Address,
            YStride = (nint)runs.Stride(y) * size,
            ElementSize = size,
            Runs = runs,
        };
        _team.For(runs.Items, &CopyKernel.Run, &kernel, RowGrain(runs.Length));
    }

    private struct CopyKernel
    {
        public byte* X, Y;
        public nint XStride, YStride;
        public int ElementSize;
        public ElementRuns Runs;

        public static void Run(void* state, int start, int end, int worker)
        {
            CopyKernel k = *(CopyKernel*)state;
            for (int item = start; item < end; item++)
            {
                long bytes = (long)k.Runs.LengthOf(item) * k.ElementSize;
                Buffer.MemoryCopy(k.X + (item * k.XStride), k.Y + (item * k.YStride), bytes, bytes);
            }
        }
    }
}
