using CoGrpo.Runtime.Cuda;
using CoGrpo.Runtime.Cuda.Kernels;

namespace CoGrpo.Runtime.Backends.Cuda;

public sealed unsafe partial class CudaBackend
{
    private static readonly StorageKernelName<FillArguments> FillKernel = new("fill", "fill");

    /// <inheritdoc cref="IBackend.Fill"/>
    public void Fill(Tensor x, float value)
    {
        Require.Storage(x);
        long rows = x.IsContiguous ? 1 : x.Rows;
        long columns = x.IsContiguous ? x.Shape.Count : x.Columns;
        if (rows * columns == 0)
        {
            return;
        }

        Launch(
            FillKernel[x.Type],
            Dim3.Of(Blocks(columns, 256 * (16 / x.Type.Size())), Math.Min(rows, 65535)),
            new Dim3(256),
            new FillArguments(x.Address, rows, columns, x.RowStride, value)
        );
    }

    private readonly record struct FillArguments(nint X, long Rows, long Columns, long XStride, float Value);
}
