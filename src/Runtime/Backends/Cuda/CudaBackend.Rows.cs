namespace CoGrpo.Runtime.Backends.Cuda;

public sealed unsafe partial class CudaBackend
{
    // As in kernels/rows.cuh.
    private const int RowBlock = 128;
    private const int RowKeep = 4;

    /// <summary>Rows that a block of a row kernel takes: one per warp, or one when a row needs the whole block.</summary>
    private static int RowsPerBlock(Tensor x) => x.Columns <= 32 * RowKeep * (16 / x.Type.Size()) ? RowBlock / 32 : 1;

    private static int Flag(bool value) => value ? 1 : 0;
}
