namespace CoGrpo.Runtime.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc cref="IBackend.Copy"/>
    public void Copy(Tensor x, Tensor y)
    {
        Require.Matrix(x, -1, -1, x.Type);
        Require.Matrix(y, x.Rows, x.Columns, y.Type);
        Require.Convertible(x, y);
        ElementRuns runs = new(new Shape(x.Shape.Rank == 1 ? 1 : Live(x), x.Columns), x.IsContiguous && y.IsContiguous);
        int size = x.Type.Size();
        CopyKernel kernel = new()
        {
            X = (byte*)x.Address,
            XStride = (nint)runs.Stride(x) * size,
            Y = (byte*)y.Address,
            YStride = (nint)runs.Stride(y) * y.Type.Size(),
            ElementSize = size,
            Runs = runs,
        };
        if (x.Type == y.Type)
        {
            _team.For(runs.Items, &CopyKernel.Run, &kernel, RowGrain(runs.Length));
        }
        else if (y.Type == ElementType.BFloat16)
        {
            _team.For(runs.Items, &CopyKernel.ToBFloat16, &kernel, RowGrain(runs.Length));
        }
        else
        {
            _team.For(runs.Items, &CopyKernel.ToFloat32, &kernel, RowGrain(runs.Length));
        }
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

        public static void ToBFloat16(void* state, int start, int end, int worker)
        {
            CopyKernel k = *(CopyKernel*)state;
            for (int item = start; item < end; item++)
            {
                uint* x = (uint*)(k.X + (item * k.XStride));
                ushort* y = (ushort*)(k.Y + (item * k.YStride));
                int length = k.Runs.LengthOf(item);
                for (int i = 0; i < length; i++)
                {
                    // To nearest, ties to even; a NaN stays one though its low half is cut off.
                    uint rounded = (x[i] + 0x7FFF + ((x[i] >> 16) & 1)) >> 16;
                    y[i] = (ushort)((x[i] & 0x7FFFFFFF) > 0x7F800000 ? 0x7FFF : rounded);
                }
            }
        }

        public static void ToFloat32(void* state, int start, int end, int worker)
        {
            CopyKernel k = *(CopyKernel*)state;
            for (int item = start; item < end; item++)
            {
                ushort* x = (ushort*)(k.X + (item * k.XStride));
                uint* y = (uint*)(k.Y + (item * k.YStride));
                int length = k.Runs.LengthOf(item);
                for (int i = 0; i < length; i++)
                {
                    y[i] = (uint)x[i] << 16;
                }
            }
        }
    }
}
