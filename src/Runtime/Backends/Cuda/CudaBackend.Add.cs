using CoGrpo.Runtime.Cuda;
using CoGrpo.Runtime.Cuda.Kernels;

namespace CoGrpo.Runtime.Backends.Cuda;

public sealed unsafe partial class CudaBackend
{
    private static readonly StorageKernelName<AddArguments> AddKernel = new("add", "add");

    /// <inheritdoc cref="IBackend.Add"/>
    public void Add(Tensor a, Tensor b, Tensor y, bool accumulate = false)
    {
        Require.Storage(a);
        Require.Matrix(y, a.Rows, a.Columns, a.Type);
        if (!b.IsNone)
        {
            Require.Matrix(b, a.Rows, a.Columns, a.Type);
        }
        else if (!accumulate)
        {
            if (a.Address != y.Address)
            {
                Copy(a, y);
            }

            return;
        }

        if (a.Shape.Count == 0)
        {
            return;
        }

        ElementGrid grid = Elements(a, b, y);
        (Dim3 blocks, Dim3 block) = ElementShape(grid, RunLength(a.Type));
        Launch(
            AddKernel[a.Type],
            blocks,
            block,
            new AddArguments(a.Address, b.Address, y.Address, a.RowStride, b.RowStride, y.RowStride, grid, Flag(accumulate))
        );
    }

    private readonly record struct AddArguments(nint A, nint B, nint Y, long AStride, long BStride, long YStride, ElementGrid Grid, int Accumulate);
}
