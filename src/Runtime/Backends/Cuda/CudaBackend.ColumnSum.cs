using CoGrpo.Runtime.Cuda;
using CoGrpo.Runtime.Cuda.Kernels;

namespace CoGrpo.Runtime.Backends.Cuda;

public sealed unsafe partial class CudaBackend
{
    private static readonly StorageKernelName<ColumnSumArguments> ColumnSumKernel = new("columnsum", "columnsum");

    /// <summary>y[g] += Σ over blocks of partials [G,blocks,C] in order; y [G,C], row stride allowed, fp32 or bf16.</summary>
    private void ColumnSum(nint partials, int blocks, Tensor y)
    {
        int groups = y.Rows;
        Launch(ColumnSumKernel[y.Type], Dim3.Of(Blocks(y.Columns, 128), Math.Min(groups, 65535)), new Dim3(128),
            new ColumnSumArguments(partials, y.Address, y.RowStride, groups, blocks, y.Columns));
    }

    private readonly record struct ColumnSumArguments(nint Partials, nint Y, long YStride, int Groups, int Blocks, int Columns);
}
