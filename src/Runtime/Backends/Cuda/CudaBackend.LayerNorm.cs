using CoGrpo.Runtime.Cuda.Kernels;

namespace CoGrpo.Runtime.Backends.Cuda;

public sealed unsafe partial class CudaBackend
{
    private static readonly StorageKernelName<LayerNormArguments> LayerNormForward = new("layernorm", "layernorm_forward");
    private static readonly StorageKernelName<LayerNormBackwardArguments> LayerNormBackwardKernel = new("layernorm", "layernorm_backward");

    /// <inheritdoc cref="IBackend.LayerNorm"/>
    public void LayerNorm(Tensor x, Tensor weight, Tensor bias, Tensor y, Tensor stats, float epsilon)
    {
        Require.Storage(x);
        Require.Count(weight, x.Columns, x.Type);
        Require.Count(bias, x.Columns, x.Type);
        LayerNormOfGroups(LayerNormForward, x, weight, bias, x.Rows, y, stats, epsilon);
    }

    /// <inheritdoc cref="IBackend.LayerNormBackward"/>
    public void LayerNormBackward(Tensor dy, Tensor x, Tensor weight, Tensor stats, Tensor dx, bool accumulate, Tensor dweight, Tensor dbias)
    {
        Require.Storage(x);
        Require.Count(weight, x.Columns, x.Type);
        if (!dweight.IsNone)
        {
            Require.Count(dweight, x.Columns);
        }

        if (!dbias.IsNone)
        {
            Require.Count(dbias, x.Columns);
        }

        LayerNormBackwardOfGroups(LayerNormBackwardKernel, dy, x, weight, x.Rows, stats, dx, accumulate, dweight, dbias);
    }
}
