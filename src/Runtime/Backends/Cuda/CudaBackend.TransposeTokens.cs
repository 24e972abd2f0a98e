using CoGrpo.Runtime.Cuda;
using CoGrpo.Runtime.Cuda.Kernels;

namespace CoGrpo.Runtime.Backends.Cuda;

public sealed unsafe partial class CudaBackend
{
    private const int TransposeTile = 32;

    private static readonly StorageKernelName<TransposeTokensArguments> TransposeTokensKernel = new("transposetokens", "transposetokens");

    /// <inheritdoc cref="IBackend.TransposeTokens"/>
    public void TransposeTokens(Tensor x, Tensor y)
    {
        Require.Storage(x);
        Require.Rank(x, 3);
        Require.Rank(y, 3);
        Require.Matrix(y, -1, -1, x.Type);
        Require.That(
            y.Shape[0] == x.Shape[0] && y.Shape[1] == x.Shape[2] && y.Shape[2] == x.Shape[1],
            nameof(y),
            y,
            "the last two dimensions of x exchanged"
        );
        if (x.Shape.Count == 0)
        {
            return;
        }

        (int images, int tokens, int columns) = (x.Shape[0], x.Shape[1], x.Shape[2]);
        Launch(
            TransposeTokensKernel[x.Type],
            Dim3.Of(Blocks(columns, TransposeTile), Blocks(tokens, TransposeTile), Math.Min(images, MaxGridY)),
            new Dim3(TransposeTile, 8),
            new TransposeTokensArguments(x.Address, y.Address, x.RowStride, y.RowStride, images, tokens, columns)
        );
    }

    private readonly record struct TransposeTokensArguments(nint X, nint Y, long XStride, long YStride, int Images, int Tokens, int Columns);
}
