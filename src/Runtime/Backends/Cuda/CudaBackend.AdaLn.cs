using CoGrpo.Runtime.Cuda.Kernels;

namespace CoGrpo.Runtime.Backends.Cuda;

public sealed unsafe partial class CudaBackend
{
    private static readonly StorageKernelName<LayerNormArguments> AdaLnForward = new("adaln", "adaln_forward");
    private static readonly StorageKernelName<LayerNormBackwardArguments> AdaLnBackwardKernel = new("adaln", "adaln_backward");

    /// <inheritdoc cref="IBackend.AdaLn"/>
    public void AdaLn(Tensor x, Tensor shift, Tensor scale, Tensor y, Tensor stats, float epsilon)
    {
        Require.Storage(x);
        int imageRows = RowsPerImage(x, shift, nameof(shift));
        Require.Matrix(shift, -1, x.Columns, x.Type);
        Require.Matrix(scale, shift.Rows, x.Columns, x.Type);
        LayerNormOfGroups(AdaLnForward, x, scale, shift, imageRows, y, stats, epsilon);
    }

    /// <inheritdoc cref="IBackend.AdaLnBackward"/>
    public void AdaLnBackward(Tensor dy, Tensor x, Tensor scale, Tensor stats, Tensor dx, bool accumulate, Tensor dshift, Tensor dscale)
    {
        Require.Storage(x);
        int imageRows = RowsPerImage(x, scale, nameof(scale));
        Require.Matrix(scale, -1, x.Columns, x.Type);
        Require.Matrix(dshift, scale.Rows, x.Columns);
        Require.Matrix(dscale, scale.Rows, x.Columns);
        LayerNormBackwardOfGroups(AdaLnBackwardKernel, dy, x, scale, imageRows, stats, dx, accumulate, dscale, dshift);
    }
}
