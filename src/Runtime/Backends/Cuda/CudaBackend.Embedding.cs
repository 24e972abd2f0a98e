using CoGrpo.Runtime.Cuda;
using CoGrpo.Runtime.Cuda.Kernels;

namespace CoGrpo.Runtime.Backends.Cuda;

public sealed unsafe partial class CudaBackend
{
    // As in kernels/embedding.cu.
    private const int EmbeddingChunk = 1024;
    private const int EmbeddingSegment = 128;

    private static readonly StorageKernelName<EmbeddingArguments> EmbeddingForward = new("embedding", "embedding_forward");
    private static readonly KernelName<EmbeddingOrderArguments> EmbeddingRank = new("embedding", "embedding_rank");
    private static readonly KernelName<EmbeddingOrderArguments> EmbeddingOffsets = new("embedding", "embedding_offsets");
    private static readonly KernelName<EmbeddingOrderArguments> EmbeddingStarts = new("embedding", "embedding_starts");
    private static readonly KernelName<EmbeddingOrderArguments> EmbeddingOrder = new("embedding", "embedding_order");
    private static readonly StorageKernelName<EmbeddingSumArguments> EmbeddingSum = new("embedding", "embedding_sum");
    private static readonly KernelName<EmbeddingSumArguments> EmbeddingCombine = new("embedding", "embedding_combine");
    private static readonly StorageKernelName<EmbeddingPositionsArguments> EmbeddingPositions = new("embedding", "embedding_positions");

    /// <inheritdoc cref="IBackend.Embedding"/>
    public void Embedding(Tensor ids, Tensor table, Tensor positions, Tensor y)
    {
        Require.Storage(y);
        RequireEmbedding(ids, table, positions, y, y.Type);
        Require.Matrix(table, -1, y.Columns, y.Type);
        if (y.Shape.Count == 0)
        {
            return;
        }

        bool vectors = HasVectors(table) && HasVectors(y) && (positions.IsNone || HasVectors(positions));
        Launch(
            EmbeddingForward[y.Type],
            Dim3.Of(Blocks(y.Rows, 8)),
            new Dim3(256),
            new EmbeddingArguments(
                ids.Address,
                table.Address,
                positions.Address,
                y.Address,
                table.RowStride,
                positions.RowStride,
                y.RowStride,
                y.Rows,
                ids.Columns,
                y.Columns,
                Flag(vectors)
            )
        );
    }

    /// <inheritdoc cref="IBackend.EmbeddingBackward"/>
    public void EmbeddingBackward(Tensor dy, Tensor ids, Tensor dtable, Tensor dpositions)
    {
        Require.Storage(dy);
        RequireEmbedding(ids, dtable, dpositions, dy, ElementType.Float32);
        if (dy.Shape.Count == 0)
        {
            return;
        }

        if (!dtable.IsNone)
        {
            EmbeddingTableGradient(dy, ids, dtable);
        }

        if (!dpositions.IsNone)
        {
            (int images, int tokens) = (dy.Rows / ids.Columns, ids.Columns);
            Launch(EmbeddingPositions[dy.Type], Dim3.Of(Blocks(dy.Columns, 128), Math.Min(tokens, MaxGridY)), new Dim3(128),
                new EmbeddingPositionsArguments(dy.Address, dpositions.Address, dy.RowStride, dpositions.RowStride, images, tokens, dy.Columns));
        }
    }

    /// <summary>Bytes that <see cref="EmbeddingBackward"/> takes for partial results of the table's gradient.</summary>
    internal static long EmbeddingBackwardWorkspace(Tensor dy, Tensor dtable) =>
        (2L * Blocks(dy.Rows, EmbeddingSegment) * dy.Columns * sizeof(float))
        + ((Blocks(dy.Rows, EmbeddingChunk) * dtable.Rows) + dtable.Rows + 1L + (2L * dy.Rows)) * sizeof(int);

    private void EmbeddingTableGradient(Tensor dy, Tensor ids, Tensor dtable)
    {
        (int rows, int columns, int tableRows) = (dy.Rows, dy.Columns, dtable.Rows);
        int chunks = (int)Blocks(rows, EmbeddingChunk);
        int segments = (int)Blocks(rows, EmbeddingSegment);
        long partialBytes = 2L * segments * columns * sizeof(float);
        long countBytes = (long)chunks * tableRows * sizeof(int);
        nint partials = _workspace.Take(EmbeddingBackwardWorkspace(dy, dtable));
        nint counts = partials + (nint)partialBytes;
        nint starts = counts + (nint)countBytes;
        nint ranks = starts + ((tableRows + 1) * (nint)sizeof(int));
        nint order = ranks + (rows * (nint)sizeof(int));
        EmbeddingOrderArguments ordering = new(ids.Address, counts, starts, ranks, order, rows, chunks, tableRows);
        Launch(EmbeddingRank, Dim3.Of(chunks), new Dim3(EmbeddingChunk), ordering);
        Launch(EmbeddingOffsets, Dim3.Of(Blocks(tableRows, 256)), new Dim3(256), ordering);
        Launch(EmbeddingStarts, new Dim3(1), new Dim3(1024), ordering);
        Launch(EmbeddingOrder, Dim3.Of(Blocks(rows, 256)), new Dim3(256), ordering);

        bool vectors = HasVectors(dy) && HasVectors(dtable);
        int run = vectors ? RunLength(dtable.Type) : 1;
        EmbeddingSumArguments sum = new(
            dy.Address,
            ids.Address,
            starts,
            order,
            dtable.Address,
            partials,
            dy.RowStride,
            dtable.RowStride,
            rows,
            columns,
            Flag(vectors)
        );
        Launch(EmbeddingSum[dy.Type], Dim3.Of(segments, Blocks(columns, EmbeddingSegment * run)), new Dim3(EmbeddingSegment), sum);
        if (segments > 1)
        {
            Launch(EmbeddingCombine, Dim3.Of(segments - 1, Blocks(columns, 128)), new Dim3(128), sum);
        }
    }

    private static void RequireEmbedding(Tensor ids, Tensor table, Tensor positions, Tensor y, ElementType type)
    {
        Require.Contiguous(ids, -1, -1, ElementType.Int32);
        Require.Matrix(y, (int)ids.Shape.Count, -1, y.Type);
        if (!table.IsNone)
        {
            Require.Matrix(table, -1, y.Columns, type);
        }

        if (!positions.IsNone)
        {
            Require.Matrix(positions, ids.Columns, y.Columns, type);
        }
    }

    private readonly record struct EmbeddingArguments(
        nint Ids,
        nint Table,
        nint Positions,
        nint Y,
        long TableStride,
        long PositionsStride,
        long YStride,
        int Rows,
        int Tokens,
        int Columns,
        int Vectors
    );

    private readonly record struct EmbeddingOrderArguments(
        nint Ids,
        nint Counts,
        nint Starts,
        nint Ranks,
        nint Order,
        int Rows,
        int Chunks,
        int TableRows
    );

    private readonly record struct EmbeddingSumArguments(
        nint Dy,
        nint Ids,
        nint Starts,
        nint Order,
        nint Dtable,
        nint Partials,
        long DyStride,
        long DtableStride,
        int Rows,
        int Columns,
        int Vectors
    );

    private readonly record struct EmbeddingPositionsArguments(
        nint Dy,
        nint Dpositions,
        long DyStride,
        long DpositionsStride,
        int Images,
        int Tokens,
        int Columns
    );
}
