namespace CoGrpo.Runtime.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc cref="IBackend.Sinusoid"/>
    public void Sinusoid(Tensor values, Tensor frequencies, Tensor y)
    {
        Require.Count(values, values.Shape.Count);
        Require.Count(frequencies, frequencies.Shape.Count);
        Require.Matrix(y, (int)values.Shape.Count, 2 * (int)frequencies.Shape.Count);
        SinusoidKernel kernel = new() { Values = values.F32, Frequencies = frequencies.F32, Y = y.F32, YStride = y.RowStride, Count = y.Columns / 2 };
        _team.For(y.Rows, &SinusoidKernel.Run, &kernel, RowGrain(16 * y.Columns));
    }

    private struct SinusoidKernel
    {
        public float* Values, Frequencies, Y;
        public int YStride, Count;

        public static void Run(void* state, int start, int end, int worker)
        {
            SinusoidKernel k = *(SinusoidKernel*)state;
            for (int row = start; row < end; row++)
            {
                float* y = k.Y + ((nint)row * k.YStride);
                for (int i = 0; i < k.Count; i++)
                {
                    // The reference rounds the angle to fp32 before it takes the cosine: at large arguments that rounding is the larger
                    // effect by far, so it is repeated here, and only the functions themselves are exact.
                    float angle = k.Values[row] * k.Frequencies[i];
                    (double sin, double cos) = Math.SinCos(angle);
                    y[i] = (float)cos;
                    y[k.Count + i] = (float)sin;
                }
            }
        }
    }
}
