using CoGrpo.Runtime.Cuda;
using CoGrpo.Runtime.Cuda.Kernels;

namespace CoGrpo.Runtime.Backends.Cuda;

public sealed unsafe partial class CudaBackend
{
    /// <summary>Bytes of a GuidedChunk (kernels/guidedrow.cuh).</summary>
    private const int GuidedChunkBytes = 24;

    private static readonly StorageKernelName<HeadSampleArguments> HeadSampleKernel = new("headsample", "headsample");
    private static readonly KernelName<HeadSampleArguments> HeadSampleAny = new("headsample", "headsample_any_bf16");
    private static readonly KernelName<HeadSampleArguments> HeadSampleFinish = new("headsample", "headsample_finish");

    /// <inheritdoc cref="IBackend.HeadSample"/>
    public void HeadSample(Tensor conditional, Tensor unconditional, Tensor head, in GuidedRows rows, NoiseAddress noise)
    {
        Require.GuidedRows(rows, noise);
        Require.Storage(conditional);
        ElementType storage = conditional.Type;
        int count = (int)rows.Rows.Shape.Count;
        Require.Matrix(conditional, rows.ConditionalAt.IsNone ? count : -1, -1, storage);
        Require.Contiguous(head, -1, conditional.Columns, storage);
        if (!unconditional.IsNone)
        {
            Require.Matrix(unconditional, rows.UnconditionalAt.IsNone ? conditional.Rows : -1, conditional.Columns, storage);
        }

        if (count == 0)
        {
            return;
        }

        // As in kernels/headsample.cu.
        bool simt = storage == ElementType.Float32;
        bool vectors = HasVectors(conditional) && HasVectors(head) && AbsentOrVectors(unconditional);
        int tile = simt ? LinearTile.Simt.Columns : LinearTile.Medium.Rows;
        int rowsPerTile = unconditional.IsNone ? tile : tile / 2;
        int chunks = (int)Blocks(head.Rows, GuidedChunk);
        int lists = tile * (vectors ? sizeof(float) : sizeof(float) + sizeof(long));
        HeadSampleArguments arguments = new(
            GuidedPlaces.Of(rows, noise),
            conditional.Address,
            unconditional.Address,
            head.Address,
            _workspace.Take(HeadSampleWorkspace(rows.Rows, head)),
            conditional.RowStride,
            unconditional.RowStride,
            conditional.Columns,
            head.Rows,
            Flag(vectors)
        );
        Launch(
            vectors ? HeadSampleKernel[storage]
                : simt ? HeadSampleKernel.Float32
                : HeadSampleAny,
            Dim3.Of(Blocks(count, rowsPerTile) * chunks),
            new Dim3(128),
            in arguments,
            simt ? 0 : LinearTile.Medium.SharedBytes + lists
        );
        Launch(HeadSampleFinish, Dim3.Of(Blocks(count, 4)), new Dim3(128), in arguments);
    }

    /// <summary>Bytes that <see cref="HeadSample"/> takes for partial results.</summary>
    internal static long HeadSampleWorkspace(Tensor rows, Tensor head) => rows.Shape.Count * Blocks(head.Rows, GuidedChunk) * GuidedChunkBytes;

    private readonly record struct HeadSampleArguments(
        GuidedPlaces Places,
        nint Conditional,
        nint Unconditional,
        nint Head,
        nint Chunks,
        long ConditionalStride,
        long UnconditionalStride,
        int Depth,
        int Codes,
        int Vectors
    );
}
