using CoGrpo.Runtime.Cuda;
using CoGrpo.Runtime.Cuda.Kernels;

namespace CoGrpo.Runtime.Backends.Cuda;

public sealed unsafe partial class CudaBackend
{
    private static readonly KernelName<SquaredNormArguments> SquaredNormPartial = new("squarednorm", "squarednorm_partial");
    private static readonly KernelName<SquaredNormArguments> SquaredNormTotal = new("squarednorm", "squarednorm_total");

    /// <inheritdoc cref="IBackend.SquaredNorm"/>
    public void SquaredNorm(Tensor x, Tensor sum, bool accumulate = false)
    {
        long count = x.Shape.Count;
        Require.Count(x, count);
        Require.Count(sum, 1, ElementType.Float64);
        int blocks = checked((int)Blocks(count, 8192));
        nint partials = _workspace.Take(Math.Max(1, blocks) * sizeof(double));
        SquaredNormArguments arguments = new(x.Address, partials, sum.Address, count, blocks, Flag(accumulate));
        if (blocks > 0)
        {
            Launch(SquaredNormPartial, Dim3.Of(blocks), new Dim3(256), arguments);
        }

        Launch(SquaredNormTotal, new Dim3(1), new Dim3(256), arguments);
    }

    private readonly record struct SquaredNormArguments(nint X, nint Partials, nint Sum, long Count, int Blocks, int Accumulate);
}
