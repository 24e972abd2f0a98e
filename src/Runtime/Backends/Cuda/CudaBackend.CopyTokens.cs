using CoGrpo.Runtime.Cuda;
using CoGrpo.Runtime.Cuda.Kernels;

namespace CoGrpo.Runtime.Backends.Cuda;

public sealed unsafe partial class CudaBackend
{
    private static readonly StorageKernelName<CopyTokensArguments> CopyTokensKernel = new("copytokens", "copytokens");

    /// <inheritdoc cref="IBackend.CopyTokens"/>
    public void CopyTokens(Tensor x, int xFirst, Tensor y, int yFirst, int count, bool accumulate = false)
    {
        Require.Storage(x);
        Require.Rank(x, 3);
        Require.Rank(y, 3);
        Require.Matrix(y, -1, x.Columns, x.Type);
        Require.That(y.Shape[0] == x.Shape[0], nameof(y), y, "as many images as x");
        Require.That(xFirst >= 0 && count >= 0 && xFirst + count <= x.Shape[1], nameof(x), x, "tokens [xFirst, xFirst + count)");
        Require.That(yFirst >= 0 && yFirst + count <= y.Shape[1], nameof(y), y, "tokens [yFirst, yFirst + count)");
        if (x.Shape[0] * (long)count * x.Columns == 0)
        {
            return;
        }

        // Where rows are adjacent, the tokens of an image are one row, and images stand apart by all their tokens.
        bool adjacent = x.IsContiguous && y.IsContiguous;
        (int xTokens, int yTokens, int tokens) = adjacent ? (1, 1, 1) : (x.Shape[1], y.Shape[1], count);
        Tensor from = Tokens(x, xFirst, count, adjacent);
        Tensor to = Tokens(y, yFirst, count, adjacent);
        bool vectors = RunsAligned(from, contiguous: false) && RunsAligned(to, contiguous: false);
        ElementGrid grid = new(from.Rows, from.Columns, Flag(vectors));
        (Dim3 blocks, Dim3 block) = ElementShape(grid, RunLength(x.Type));
        Launch(CopyTokensKernel[x.Type], blocks, block,
            new CopyTokensArguments(from.Address, to.Address, from.RowStride, to.RowStride, xTokens, yTokens, grid, tokens, Flag(accumulate)));
    }

    /// <summary>
    /// From the first token on: [B, count*C] when rows are adjacent, else [B*count, C] of which only the tokens of one image stand a row stride
    /// apart.
    /// </summary>
    private static Tensor Tokens(Tensor x, int first, int count, bool adjacent)
    {
        nint address = x.Address + ((nint)first * x.RowStride * x.Type.Size());
        return adjacent
            ? new Tensor(address, new Shape(x.Shape[0], count * x.Columns), x.Type, x.Shape[1] * x.Columns)
            : new Tensor(address, new Shape(x.Shape[0] * count, x.Columns), x.Type, x.RowStride);
    }

    private readonly record struct CopyTokensArguments(
        nint X,
        nint Y,
        long XStride,
        long YStride,
        long XTokens,
        long YTokens,
        ElementGrid Grid,
        int Count,
        int Accumulate
    );
}
