using CoGrpo.Runtime.Cuda;
using CoGrpo.Runtime.Cuda.Kernels;

namespace CoGrpo.Runtime.Backends.Cuda;

public sealed unsafe partial class CudaBackend
{
    private static readonly StorageKernelName<ScaleArguments> ScaleKernel = new("scale", "scale");

    /// <inheritdoc cref="IBackend.Scale"/>
    public void Scale(Tensor x, float factor, Tensor y)
    {
        Require.Storage(x);
        Require.Count(x, x.Shape.Count, x.Type);
        Require.Count(y, x.Shape.Count, x.Type);
        if (x.Shape.Count == 0)
        {
            return;
        }

        ElementGrid grid = Elements(x, y);
        (Dim3 blocks, Dim3 block) = ElementShape(grid, RunLength(x.Type));
        Launch(ScaleKernel[x.Type], blocks, block, new ScaleArguments(x.Address, y.Address, grid, factor));
    }

    private readonly record struct ScaleArguments(nint X, nint Y, ElementGrid Grid, float Factor);
}
