using CoGrpo.Runtime.Cuda;
using CoGrpo.Runtime.Cuda.Kernels;

namespace CoGrpo.Runtime.Backends.Cuda;

public sealed unsafe partial class CudaBackend
{
    private static readonly StorageKernelName<SpaceDepthArguments> SpaceToDepthKernel = new("spacetodepth", "spacetodepth");
    private static readonly StorageKernelName<SpaceDepthArguments> DepthToSpaceKernel = new("depthtospace", "depthtospace");

    /// <inheritdoc cref="IBackend.SpaceToDepth"/>
    public void SpaceToDepth(Tensor x, Tensor y) => SpaceDepth(SpaceToDepthKernel, x, y, x, y);

    /// <inheritdoc cref="IBackend.DepthToSpace"/>
    public void DepthToSpace(Tensor x, Tensor y) => SpaceDepth(DepthToSpaceKernel, y, x, x, y);

    private void SpaceDepth(StorageKernelName<SpaceDepthArguments> kernel, Tensor space, Tensor depth, Tensor x, Tensor y)
    {
        Require.Storage(space);
        Require.Rank(space, 4);
        Require.Rank(depth, 4);
        Require.Matrix(depth, -1, -1, space.Type);
        Shape s = space.Shape, d = depth.Shape;
        Require.That(d[0] == s[0] && 2 * d[1] == s[1] && 2 * d[2] == s[2] && d[3] == 4 * s[3], nameof(depth), depth,
            "half the height and width and four times the channels of the other tensor");
        if (depth.Shape.Count == 0)
        {
            return;
        }

        // A run of the deep side is a quarter as many channels of four pixels.
        int run = RunLength(space.Type);
        bool vectors = HasVectors(depth) && space.Address % 16 == 0 && space.RowStride % (run / 4) == 0;
        ElementGrid grid = new(depth.Rows, depth.Columns, Flag(vectors));
        (Dim3 blocks, Dim3 block) = ElementShape(grid, run);
        Launch(
            kernel[space.Type],
            blocks,
            block,
            new SpaceDepthArguments(x.Address, y.Address, x.LiveRows, space.RowStride, depth.RowStride, grid, d[2])
        );
    }

    private readonly record struct SpaceDepthArguments(nint X, nint Y, nint Live, long SpaceStride, long DepthStride, ElementGrid Grid, int Width);
}
