using CoGrpo.Runtime.Cuda;
using CoGrpo.Runtime.Cuda.Kernels;

namespace CoGrpo.Runtime.Backends.Cuda;

public sealed unsafe partial class CudaBackend
{
    private static readonly KernelName<HeadRowsArguments> HeadRowsPlain = new("headrows", "headrows_plain");
    private static readonly KernelName<HeadRowsArguments> HeadRowsMark = new("headrows", "headrows_mark");
    private static readonly KernelName<HeadRowsArguments> HeadRowsNumber = new("headrows", "headrows_number");
    private static readonly KernelName<HeadRowsArguments> HeadRowsCodes = new("headrows", "headrows_codes");

    /// <inheritdoc cref="IBackend.HeadRows"/>
    public void HeadRows(Tensor rows, in HeadGrid grid, Tensor tokens, Tensor tokenCount, Tensor codes)
    {
        Require.HeadRows(rows, grid, tokens, tokenCount, codes);
        int count = (int)rows.Shape.Count;
        int places = grid.Images * grid.Tokens;
        nint workspace = grid.Upsample ? _workspace.Take(HeadRowsWorkspace(grid)) : 0;
        HeadRowsArguments arguments = new(
            rows.Address,
            rows.LiveRows,
            tokens.Address,
            tokenCount.Address,
            codes.Address,
            workspace,
            count,
            grid.Images,
            grid.TextTokens,
            grid.Tokens,
            grid.Codes,
            grid.Width
        );
        Dim3 blocks = Dim3.Of(Math.Max(1, Blocks(count, 256)));
        if (!grid.Upsample)
        {
            Launch(HeadRowsPlain, blocks, new Dim3(256), arguments);
            return;
        }

        _stream.Fill((ulong)workspace, 0, places);
        Launch(HeadRowsMark, blocks, new Dim3(256), arguments);
        Launch(HeadRowsNumber, new Dim3(1), new Dim3(1024), arguments);
        Launch(HeadRowsCodes, blocks, new Dim3(256), arguments);
    }

    /// <summary>Bytes that <see cref="HeadRows"/> takes where tokens own several codes.</summary>
    internal static long HeadRowsWorkspace(in HeadGrid grid) => (long)grid.Images * grid.Tokens * sizeof(int);

    private readonly record struct HeadRowsArguments(
        nint Rows,
        nint Live,
        nint Tokens,
        nint TokenCount,
        nint Codes,
        nint Place,
        int Count,
        int Images,
        int TextTokens,
        int ImageTokens,
        int GridCodes,
        int Width
    );
}
