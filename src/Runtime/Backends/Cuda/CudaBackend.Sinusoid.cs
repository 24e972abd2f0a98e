using CoGrpo.Runtime.Cuda;
using CoGrpo.Runtime.Cuda.Kernels;

namespace CoGrpo.Runtime.Backends.Cuda;

public sealed unsafe partial class CudaBackend
{
    // As in kernels/sinusoid.cu.
    private const int SinusoidRows = 128;

    private static readonly StorageKernelName<SinusoidArguments> SinusoidKernel = new("sinusoid", "sinusoid");

    /// <inheritdoc cref="IBackend.Sinusoid"/>
    public void Sinusoid(Tensor values, Tensor frequencies, Tensor y)
    {
        Require.Count(values, values.Shape.Count);
        Require.Count(frequencies, frequencies.Shape.Count);
        Require.Storage(y);
        Require.Matrix(y, (int)values.Shape.Count, 2 * (int)frequencies.Shape.Count, y.Type);
        if (y.Shape.Count == 0)
        {
            return;
        }

        int count = y.Columns / 2;
        Launch(SinusoidKernel[y.Type], Dim3.Of(Blocks(count, 128), Blocks(y.Rows, SinusoidRows)), new Dim3(128),
            new SinusoidArguments(values.Address, frequencies.Address, y.Address, y.RowStride, y.Rows, count));
    }

    private readonly record struct SinusoidArguments(nint Values, nint Frequencies, nint Y, long YStride, int Rows, int Count);
}
