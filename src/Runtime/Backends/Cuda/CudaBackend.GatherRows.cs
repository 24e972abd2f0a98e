using CoGrpo.Runtime.Cuda;
using CoGrpo.Runtime.Cuda.Kernels;

namespace CoGrpo.Runtime.Backends.Cuda;

public sealed unsafe partial class CudaBackend
{
    private const int GatherWarps = 8;

    private static readonly StorageKernelName<GatherRowsArguments> GatherRowsForward = new("gatherrows", "gatherrows_forward");
    private static readonly KernelName<GatherRowsInverseArguments> GatherRowsClear = new("gatherrows", "gatherrows_clear");
    private static readonly KernelName<GatherRowsInverseArguments> GatherRowsInverse = new("gatherrows", "gatherrows_inverse");
    private static readonly StorageKernelName<GatherRowsScatterArguments> GatherRowsScatter = new("gatherrows", "gatherrows_scatter");
    private static readonly StorageKernelName<GatherRowsScatterArguments> GatherRowsAdd = new("gatherrows", "gatherrows_add");

    /// <inheritdoc cref="IBackend.GatherRows"/>
    public void GatherRows(Tensor x, Tensor rows, Tensor y)
    {
        Require.Storage(x);
        Require.Count(rows, rows.Shape.Count, ElementType.Int32);
        Require.Matrix(y, (int)rows.Shape.Count, x.Columns, x.Type);
        if (y.Shape.Count == 0)
        {
            return;
        }

        Launch(
            GatherRowsForward[x.Type],
            Dim3.Of(Blocks(y.Rows, GatherWarps)),
            new Dim3(32 * GatherWarps),
            new GatherRowsArguments(
                x.Address,
                rows.Address,
                y.Address,
                rows.LiveRows,
                x.RowStride,
                y.RowStride,
                y.Rows,
                y.Columns,
                Flag(HasVectors(x) && HasVectors(y))
            )
        );
    }

    /// <inheritdoc cref="IBackend.GatherRowsBackward"/>
    public void GatherRowsBackward(Tensor dy, Tensor rows, Tensor dx, bool accumulate)
    {
        Require.Storage(dx);
        Require.Count(rows, rows.Shape.Count, ElementType.Int32);
        Require.Matrix(dy, (int)rows.Shape.Count, dx.Columns, dx.Type);
        int vectors = Flag(HasVectors(dy) && HasVectors(dx));
        if (accumulate)
        {
            if (dy.Shape.Count > 0)
            {
                Launch(GatherRowsAdd[dx.Type], Dim3.Of(Blocks(dy.Rows, GatherWarps)), new Dim3(32 * GatherWarps),
                    new GatherRowsScatterArguments(dy.Address, rows.Address, dx.Address, dy.RowStride, dx.RowStride, dy.Rows, dx.Columns, vectors));
            }

            return;
        }

        if (dx.Shape.Count == 0)
        {
            return;
        }

        nint inverse = _workspace.Take(GatherRowsBackwardWorkspace(dx));
        Launch(GatherRowsClear, Dim3.Of(Blocks(dx.Rows, 256)), new Dim3(256), new GatherRowsInverseArguments(rows.Address, inverse, dx.Rows));
        if (dy.Rows > 0)
        {
            Launch(GatherRowsInverse, Dim3.Of(Blocks(dy.Rows, 256)), new Dim3(256), new GatherRowsInverseArguments(rows.Address, inverse, dy.Rows));
        }

        Launch(GatherRowsScatter[dx.Type], Dim3.Of(Blocks(dx.Rows, GatherWarps)), new Dim3(32 * GatherWarps),
            new GatherRowsScatterArguments(dy.Address, inverse, dx.Address, dy.RowStride, dx.RowStride, dx.Rows, dx.Columns, vectors));
    }

    /// <summary>Bytes that <see cref="GatherRowsBackward"/> takes where it overwrites.</summary>
    internal static long GatherRowsBackwardWorkspace(Tensor dx) => (long)dx.Rows * sizeof(int);

    private readonly record struct GatherRowsArguments(
        nint X,
        nint Rows,
        nint Y,
        nint Live,
        long XStride,
        long YStride,
        int Count,
        int Columns,
        int Vectors
    );

    private readonly record struct GatherRowsInverseArguments(nint Rows, nint Inverse, int Count);

    private readonly record struct GatherRowsScatterArguments(
        nint Dy,
        nint Map,
        nint Dx,
        long DyStride,
        long DxStride,
        int Count,
        int Columns,
        int Vectors
    );
}
