using CoGrpo.Runtime.Cuda;
using CoGrpo.Runtime.Cuda.Kernels;

namespace CoGrpo.Runtime.Backends.Cuda;

public sealed unsafe partial class CudaBackend
{
    private const int ColumnSumBlock = 256;

    private static readonly StorageKernelName<ColumnSumArguments> ColumnSumKernel = new("columnsum", "columnsum");

    /// <summary>
    /// y[g] += Σ over blocks of partials [G,blocks,C] in an order that depends on their number alone; y [G,C], row stride allowed, fp32 or bf16.
    /// </summary>
    private void ColumnSum(nint partials, int blocks, Tensor y)
    {
        int groups = y.Rows;
        int slices = blocks >= 16 ? 8 : 1;
        var block = new Dim3((uint)(ColumnSumBlock / slices), (uint)slices);
        Launch(ColumnSumKernel[y.Type], Dim3.Of(Blocks(y.Columns, block.X), Math.Min(groups, MaxGridY)), block,
            new ColumnSumArguments(partials, y.Address, y.RowStride, groups, blocks, y.Columns));
    }

    private readonly record struct ColumnSumArguments(nint Partials, nint Y, long YStride, int Groups, int Blocks, int Columns);
}
