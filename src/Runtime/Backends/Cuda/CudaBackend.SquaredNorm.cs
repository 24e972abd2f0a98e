using CoGrpo.Runtime.Cuda;
using CoGrpo.Runtime.Cuda.Kernels;

namespace CoGrpo.Runtime.Backends.Cuda;

public sealed unsafe partial class CudaBackend
{
    private const int SquaredNormBlock = 8192;

    private static readonly KernelName<SquaredNormArguments> SquaredNormPartial = new("squarednorm", "squarednorm_partial");
    private static readonly KernelName<SquaredNormArguments> SquaredNormTotal = new("squarednorm", "squarednorm_total");

    /// <inheritdoc cref="IBackend.SquaredNorm"/>
    public void SquaredNorm(Tensor x, Tensor sum, bool accumulate = false)
    {
        long count = x.Shape.Count;
        Require.Count(x, count);
        Require.Count(sum, 1, ElementType.Float64);
        int blocks = checked((int)Blocks(count, SquaredNormBlock));
        nint partials = _workspace.Take(SquaredNormWorkspace(count));
        SquaredNormArguments arguments = new(x.Address, partials, sum.Address, count, blocks, Flag(accumulate));
        if (blocks > 0)
        {
            Launch(SquaredNormPartial, Dim3.Of(blocks), new Dim3(256), arguments);
        }

        Launch(SquaredNormTotal, new Dim3(1), new Dim3(256), arguments);
    }

    /// <summary>Bytes that <see cref="SquaredNorm"/> takes for partial results.</summary>
    internal static long SquaredNormWorkspace(long count) => Math.Max(1, Blocks(count, SquaredNormBlock)) * sizeof(double);

    private readonly record struct SquaredNormArguments(nint X, nint Partials, nint Sum, long Count, int Blocks, int Accumulate);
}
