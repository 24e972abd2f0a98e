using CoGrpo.Runtime.Cuda;
using CoGrpo.Runtime.Cuda.Kernels;

namespace CoGrpo.Runtime.Backends.Cuda;

public sealed unsafe partial class CudaBackend
{
    private static readonly StorageKernelName<AreaMeanArguments> AreaMeanForward = new("areamean", "areamean_forward");
    private static readonly StorageKernelName<AreaMeanArguments> AreaMeanBackwardKernel = new("areamean", "areamean_backward");

    /// <inheritdoc cref="IBackend.AreaMean"/>
    public void AreaMean(Tensor x, Tensor y) => AreaMean(AreaMeanForward, x, y, x, y);

    /// <inheritdoc cref="IBackend.AreaMeanBackward"/>
    public void AreaMeanBackward(Tensor dy, Tensor dx) => AreaMean(AreaMeanBackwardKernel, dx, dy, dy, dx);

    private void AreaMean(StorageKernelName<AreaMeanArguments> kernel, Tensor x, Tensor y, Tensor from, Tensor to)
    {
        Require.Storage(x);
        Require.Rank(x, 4);
        Require.Rank(y, 4);
        Require.Matrix(y, -1, x.Columns, x.Type);
        Shape s = x.Shape, t = y.Shape;
        Require.That(s[0] == t[0] && t[1] > 0 && t[2] > 0 && s[1] % t[1] == 0 && s[2] % t[2] == 0, nameof(y), y,
            "the images of x with sizes that divide its height and width");
        if (y.Shape.Count == 0)
        {
            return;
        }

        ElementGrid grid = new(y.Rows, y.Columns, Flag(HasVectors(x) && HasVectors(y)));
        (Dim3 blocks, Dim3 block) = ElementShape(grid, RunLength(x.Type));
        Launch(
            kernel[x.Type],
            blocks,
            block,
            new AreaMeanArguments(from.Address, to.Address, x.RowStride, y.RowStride, grid, t[1], t[2], s[1] / t[1], s[2] / t[2])
        );
    }

    private readonly record struct AreaMeanArguments(
        nint From,
        nint To,
        long LargeStride,
        long SmallStride,
        ElementGrid Grid,
        int OutHeight,
        int OutWidth,
        int BlockHeight,
        int BlockWidth
    );
}
