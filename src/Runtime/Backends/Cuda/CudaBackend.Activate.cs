using CoGrpo.Runtime.Cuda;
using CoGrpo.Runtime.Cuda.Kernels;

namespace CoGrpo.Runtime.Backends.Cuda;

public sealed unsafe partial class CudaBackend
{
    private static readonly StorageKernelName<ActivateArguments> ActivateForward = new("activate", "activate_forward");
    private static readonly StorageKernelName<ActivateBackwardArguments> ActivateBackwardKernel = new("activate", "activate_backward");

    /// <inheritdoc cref="IBackend.Activate"/>
    public void Activate(Tensor x, Tensor y, Activation activation)
    {
        Require.Storage(x);
        Require.Matrix(y, x.Rows, x.Columns, x.Type);
        if (x.Shape.Count == 0)
        {
            return;
        }

        ElementGrid grid = Elements(x, y);
        (Dim3 blocks, Dim3 block) = ElementShape(grid, RunLength(x.Type));
        Launch(ActivateForward[x.Type], blocks, block, new ActivateArguments(x.Address, y.Address, x.RowStride, y.RowStride, grid, (int)activation));
    }

    /// <inheritdoc cref="IBackend.ActivateBackward"/>
    public void ActivateBackward(Tensor dy, Tensor x, Tensor dx, Activation activation, bool accumulate = false)
    {
        Require.Storage(dy);
        Require.Matrix(x, dy.Rows, dy.Columns, dy.Type);
        Require.Matrix(dx, dy.Rows, dy.Columns, dy.Type);
        if (dy.Shape.Count == 0)
        {
            return;
        }

        ElementGrid grid = Elements(dy, x, dx);
        (Dim3 blocks, Dim3 block) = ElementShape(grid, RunLength(dy.Type));
        Launch(
            ActivateBackwardKernel[dy.Type],
            blocks,
            block,
            new ActivateBackwardArguments(
                dy.Address,
                x.Address,
                dx.Address,
                dy.RowStride,
                x.RowStride,
                dx.RowStride,
                grid,
                (int)activation,
                Flag(accumulate)
            )
        );
    }

    private readonly record struct ActivateArguments(nint X, nint Y, long XStride, long YStride, ElementGrid Grid, int Activation);

    private readonly record struct ActivateBackwardArguments(
        nint Dy,
        nint X,
        nint Dx,
        long DyStride,
        long XStride,
        long DxStride,
        ElementGrid Grid,
        int Activation,
        int Accumulate
    );
}
