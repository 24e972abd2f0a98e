using System.Numerics;

namespace CoGrpo.Runtime.Backends.Cuda;

public sealed unsafe partial class CudaBackend
{
    // As in kernels/rows.cuh.
    private const int RowKept = 1024;
    private const int RowForwardBlock = 256;
    private const int RowForwardChunk = 32;
    private const int RowBackwardBlock = 128;
    private const int RowOwned = 8;

    private const int BackwardChunk = 64;
    private const int BackwardChunks = 512;

    /// <summary>
    /// Rows that a block of a backward pass takes when it leaves one partial row of parameter gradients: enough that the partial rows are few
    /// beside the rows themselves, and at most 512 in all.
    /// </summary>
    private static int RowsPerChunk(long rows) => (int)Math.Max(BackwardChunk, (Blocks(rows, BackwardChunks) + 3) / 4 * 4);

    /// <summary>Threads of a backward block of kernels/rows.cuh: 8 columns each where rows fit, else all of them.</summary>
    private static int RowBackwardThreads(int columns, bool vectors) =>
        vectors && columns <= RowKept ? (int)Blocks(columns, 32 * RowOwned) * 32 : RowBackwardBlock;

    /// <summary>Threads side by side on a row of runs of <paramref name="run"/> elements: a power of two from 32 to 256.</summary>
    private static uint ThreadsAcross(int columns, int run) =>
        (uint)Math.Clamp(BitOperations.RoundUpToPowerOf2((ulong)Blocks(columns, run)), 32, 256);

    /// <summary>S for x [B,S,C] or [B*S,C] and a tensor with a row per image.</summary>
    private static int RowsPerImage(Tensor x, Tensor perImage, string name)
    {
        int images = perImage.Rows;
        bool fits = images > 0 ? x.Rows % images == 0 && (x.Shape.Rank < 3 || x.Shape[0] == images) : x.Rows == 0;
        Require.That(fits, name, perImage, "one row per image of x");
        return images > 0 ? x.Rows / images : 0;
    }
}
