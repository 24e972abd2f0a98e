using CoGrpo.Runtime.Cuda;
using CoGrpo.Runtime.Cuda.Kernels;

namespace CoGrpo.Runtime.Backends.Cuda;

public sealed unsafe partial class CudaBackend
{
    /// <summary>
    /// Forward pass that AdaLN and layer norm share: rows in groups, each with a row of <paramref name="multiplier"/> and <paramref name="addend"/>.
    /// </summary>
    private void LayerNormOfGroups(
        StorageKernelName<LayerNormArguments> kernel,
        Tensor x,
        Tensor multiplier,
        Tensor addend,
        int groupRows,
        Tensor y,
        Tensor stats,
        float epsilon
    )
    {
        Require.Matrix(y, x.Rows, x.Columns, x.Type);
        Require.Count(stats, 2L * x.Rows);
        if (x.Rows == 0)
        {
            return;
        }

        bool vectors = HasVectors(x) && HasVectors(y) && HasVectors(multiplier) && HasVectors(addend);
        Launch(
            kernel[x.Type],
            Dim3.Of(Blocks(groupRows, RowForwardChunk), x.Rows / groupRows),
            new Dim3(RowForwardBlock),
            new LayerNormArguments(
                x.Address,
                multiplier.Address,
                addend.Address,
                y.Address,
                stats.Address,
                x.RowStride,
                y.RowStride,
                multiplier.RowStride,
                addend.RowStride,
                groupRows,
                x.Columns,
                epsilon,
                Flag(vectors)
            )
        );
    }

    /// <summary>
    /// Backward pass that they share; either gradient of <paramref name="dmultiplier"/> and <paramref name="daddend"/> (a row per group) may be none.
    /// </summary>
    private void LayerNormBackwardOfGroups(
        StorageKernelName<LayerNormBackwardArguments> kernel,
        Tensor dy,
        Tensor x,
        Tensor multiplier,
        int groupRows,
        Tensor stats,
        Tensor dx,
        bool accumulate,
        Tensor dmultiplier,
        Tensor daddend
    )
    {
        Require.Matrix(dy, x.Rows, x.Columns, x.Type);
        Require.Matrix(dx, x.Rows, x.Columns, x.Type);
        Require.Count(stats, 2L * x.Rows);
        if (x.Rows == 0)
        {
            return;
        }

        // From the rows of a group alone, so that an image's gradients have the same bits in any batch.
        bool vectors = HasVectors(x) && HasVectors(dy) && HasVectors(dx) && HasVectors(multiplier);
        int groups = x.Rows / groupRows;
        int chunk = RowsPerChunk(groupRows);
        int blocks = (int)Blocks(groupRows, chunk);
        long bytes = LayerNormBackwardWorkspace(x, groupRows), each = bytes / 2;
        nint partials = dmultiplier.IsNone && daddend.IsNone ? 0 : _workspace.Take(bytes);
        nint multiplierPartials = dmultiplier.IsNone ? 0 : partials;
        nint addendPartials = daddend.IsNone ? 0 : partials + (nint)each;
        Launch(
            kernel[x.Type],
            Dim3.Of(blocks, groups),
            new Dim3((uint)RowBackwardThreads(x.Columns, vectors)),
            new LayerNormBackwardArguments(
                dy.Address,
                x.Address,
                multiplier.Address,
                stats.Address,
                dx.Address,
                multiplierPartials,
                addendPartials,
                dy.RowStride,
                x.RowStride,
                dx.RowStride,
                multiplier.RowStride,
                groupRows,
                x.Columns,
                chunk,
                Flag(accumulate),
                Flag(vectors)
            )
        );
        if (!dmultiplier.IsNone)
        {
            ColumnSum(multiplierPartials, blocks, dmultiplier);
        }

        if (!daddend.IsNone)
        {
            ColumnSum(addendPartials, blocks, daddend);
        }
    }

    /// <summary>
    /// Bytes that <see cref="LayerNormBackward"/> and <see cref="AdaLnBackward"/> take for partial results, of groups of <paramref name="groupRows"/>
    /// rows.
    /// </summary>
    internal static long LayerNormBackwardWorkspace(Tensor x, int groupRows) =>
        2L * (x.Rows / groupRows) * Blocks(groupRows, RowsPerChunk(groupRows)) * x.Columns * sizeof(float);

    private readonly record struct LayerNormArguments(
        nint X,
        nint Multiplier,
        nint Addend,
        nint Y,
        nint Stats,
        long XStride,
        long YStride,
        long MultiplierStride,
        long AddendStride,
        int GroupRows,
        int Columns,
        float Epsilon,
        int Vectors
    );

    private readonly record struct LayerNormBackwardArguments(
        nint Dy,
        nint X,
        nint Multiplier,
        nint Stats,
        nint Dx,
        nint MultiplierPartials,
        nint AddendPartials,
        long DyStride,
        long XStride,
        long DxStride,
        long MultiplierStride,
        int GroupRows,
        int Columns,
        int Chunk,
        int Accumulate,
        int Vectors
    );
}
