using CoGrpo.Runtime.Cuda;
using CoGrpo.Runtime.Cuda.Kernels;

namespace CoGrpo.Runtime.Backends.Cuda;

public sealed unsafe partial class CudaBackend
{
    private static readonly KernelName<CopyArguments> CopyBytes = new("copy", "copy_bytes");
    private static readonly KernelName<CopyArguments> CopyToBFloat16 = new("copy", "copy_to_bf16");
    private static readonly KernelName<CopyArguments> CopyToFloat32 = new("copy", "copy_to_f32");

    /// <inheritdoc cref="IBackend.Copy"/>
    public void Copy(Tensor x, Tensor y)
    {
        Require.Matrix(x, -1, -1, x.Type);
        Require.Matrix(y, x.Rows, x.Columns, y.Type);
        Require.Convertible(x, y);
        if (x.Shape.Count == 0)
        {
            return;
        }

        // Rows are counted only where the device knows how many are live.
        nint live = x.Shape.Rank == 1 ? 0 : x.LiveRows;
        ElementGrid grid = Elements(x, y);
        if (live != 0 && grid.Rows == 1)
        {
            bool vectors = RunsAligned(x, contiguous: false) && RunsAligned(y, contiguous: false);
            grid = new ElementGrid(x.Rows, x.Columns, Flag(vectors));
        }

        if (x.Type != y.Type)
        {
            (Dim3 blocks, Dim3 block) = ElementShape(grid, RunLength(ElementType.Float32));
            KernelName<CopyArguments> kernel = y.Type == ElementType.BFloat16 ? CopyToBFloat16 : CopyToFloat32;
            Launch(kernel, blocks, block, new CopyArguments(x.Address, y.Address, live, x.RowStride, y.RowStride, grid, 0));
            return;
        }

        int size = x.Type.Size();
        long bytes = grid.Columns * size, xStride = (long)x.RowStride * size, yStride = (long)y.RowStride * size;
        int unit = CopyUnit(x.Address | y.Address | bytes | (grid.Rows == 1 ? 0 : xStride | yStride));
        (Dim3 units, Dim3 threads) = ElementShape(new ElementGrid(grid.Rows, bytes, 1), unit);
        Launch(
            CopyBytes,
            units,
            threads,
            new CopyArguments(x.Address, y.Address, live, xStride, yStride, new ElementGrid(grid.Rows, bytes, 1), unit)
        );
    }

    /// <summary>The largest unit that divides all that went into <paramref name="bits"/>.</summary>
    private static int CopyUnit(long bits) => bits % 16 == 0 ? 16 : bits % 4 == 0 ? 4 : bits % 2 == 0 ? 2 : 1;

    private readonly record struct CopyArguments(nint X, nint Y, nint Live, long XStride, long YStride, ElementGrid Grid, int Unit);
}
