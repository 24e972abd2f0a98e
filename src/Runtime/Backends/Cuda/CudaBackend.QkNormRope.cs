using System.Numerics;
using CoGrpo.Runtime.Cuda;
using CoGrpo.Runtime.Cuda.Kernels;

namespace CoGrpo.Runtime.Backends.Cuda;

public sealed unsafe partial class CudaBackend
{
    private const int RopeBlock = 128;
    private const int RopeChunk = 32;

    private static readonly StorageKernelName<QkNormRopeArguments> QkNormRopeForward = new("qknormrope", "qknormrope_forward");
    private static readonly StorageKernelName<QkNormRopeBackwardArguments> QkNormRopeBackwardKernel = new("qknormrope", "qknormrope_backward");

    /// <inheritdoc cref="IBackend.QkNormRope"/>
    public void QkNormRope(Tensor x, Tensor weight, Tensor cos, Tensor sin, Tensor y, int firstRow, Tensor rstd, int heads, float epsilon)
    {
        RequireQkNormRope(x, weight, cos, sin, y, firstRow, rstd, heads);
        if (x.Rows == 0)
        {
            return;
        }

        int width = x.Columns / heads;
        int team = RopeTeam(width, HasVectors(x) && HasVectors(y), weight, cos, sin);
        (int images, int length) = (x.Shape[0], x.Shape[1]);
        long blocks = team > 0 ? Blocks(length, RopeBlock / team * (x.Type.Size() / 2)) : Blocks((long)length * heads, RopeBlock / 32);
        Launch(
            QkNormRopeForward[x.Type],
            Dim3.Of(blocks, images),
            new Dim3(RopeBlock),
            new QkNormRopeArguments(
                x.Address,
                weight.Address,
                cos.Address,
                sin.Address,
                y.Address,
                rstd.Address,
                x.RowStride,
                cos.RowStride,
                sin.RowStride,
                y.RowStride,
                length,
                y.Shape[1],
                firstRow,
                heads,
                width,
                epsilon,
                team
            )
        );
    }

    /// <inheritdoc cref="IBackend.QkNormRopeBackward"/>
    public void QkNormRopeBackward(
        Tensor dy,
        Tensor x,
        Tensor weight,
        Tensor cos,
        Tensor sin,
        Tensor rstd,
        int firstRow,
        Tensor dx,
        Tensor dweight,
        int heads
    )
    {
        RequireQkNormRope(x, weight, cos, sin, dy, firstRow, rstd, heads);
        Require.Matrix(dx, x.Rows, x.Columns, x.Type);
        int width = x.Columns / heads;
        if (!dweight.IsNone)
        {
            Require.Count(dweight, width);
        }

        if (x.Rows == 0)
        {
            return;
        }

        int team = RopeTeam(width, HasVectors(x) && HasVectors(dy) && HasVectors(dx), weight, cos, sin);
        (int images, int length) = (x.Shape[0], x.Shape[1]);
        int chunk = RopeRowsPerChunk(x.Rows);
        int chunks = (int)Blocks(length, chunk);
        nint partials = dweight.IsNone ? 0 : _workspace.Take(QkNormRopeBackwardWorkspace(x, heads));
        Launch(
            QkNormRopeBackwardKernel[x.Type],
            Dim3.Of(chunks, images),
            new Dim3(RopeBlock),
            new QkNormRopeBackwardArguments(
                dy.Address,
                x.Address,
                weight.Address,
                cos.Address,
                sin.Address,
                rstd.Address,
                dx.Address,
                partials,
                dy.RowStride,
                x.RowStride,
                cos.RowStride,
                sin.RowStride,
                dx.RowStride,
                length,
                dy.Shape[1],
                firstRow,
                heads,
                width,
                chunk,
                team
            )
        );
        if (partials != 0)
        {
            ColumnSum(partials, images * chunks, dweight);
        }
    }

    /// <summary>Lanes that share a token when runs of 16 bytes divide a head among a power of two of them, at most a warp; else 0.</summary>
    private static int RopeTeam(int width, bool vectors, Tensor weight, Tensor cos, Tensor sin)
    {
        int run = RunLength(weight.Type);
        int team = width / run;
        bool fits = width % run == 0 && team <= 32 && BitOperations.IsPow2(team);

        // Half a run of angles: 16 or 8 bytes of fp32.
        bool angles = cos.Address % 16 == 0 && sin.Address % 16 == 0 && cos.RowStride % (run / 2) == 0 && sin.RowStride % (run / 2) == 0;
        return fits && angles && vectors && HasVectors(weight) ? team : 0;
    }

    private static void RequireQkNormRope(Tensor x, Tensor weight, Tensor cos, Tensor sin, Tensor y, int firstRow, Tensor rstd, int heads)
    {
        Require.Storage(x);
        Require.Rank(x, 3);
        Require.Rank(y, 3);
        Require.That(heads > 0 && x.Columns > 0 && x.Columns % (2 * heads) == 0, nameof(x), x, "heads of even width as its fastest dimension");
        int width = x.Columns / heads;
        Require.Matrix(y, -1, x.Columns, x.Type);
        Require.That(y.Shape[0] == x.Shape[0] && firstRow >= 0 && firstRow + x.Shape[1] <= y.Shape[1], nameof(y), y,
            "as many images as x and room for its tokens from the first row on");
        Require.Count(weight, width, x.Type);
        Require.Matrix(cos, -1, width / 2);
        Require.Matrix(sin, -1, width / 2);
        Require.That(cos.Rows >= firstRow + x.Shape[1], nameof(cos), cos, "a row for every token of x from the first row on");
        Require.That(sin.Rows >= firstRow + x.Shape[1], nameof(sin), sin, "a row for every token of x from the first row on");
        Require.Count(rstd, (long)x.Rows * heads);
    }

    /// <summary>Bytes that <see cref="QkNormRopeBackward"/> takes for partial results of the weight's gradient.</summary>
    internal static long QkNormRopeBackwardWorkspace(Tensor x, int heads) =>
        x.Shape[0] * Blocks(x.Shape[1], RopeRowsPerChunk(x.Rows)) * (x.Columns / heads) * sizeof(float);

    private static int RopeRowsPerChunk(int rows) => Math.Max(RopeChunk, (int)Blocks(rows, BackwardChunks));

    private readonly record struct QkNormRopeArguments(
        nint X,
        nint Weight,
        nint Cos,
        nint Sin,
        nint Y,
        nint Rstd,
        long XStride,
        long CosStride,
        long SinStride,
        long YStride,
        int Length,
        int Tokens,
        int FirstRow,
        int Heads,
        int Width,
        float Epsilon,
        int Team
    );

    private readonly record struct QkNormRopeBackwardArguments(
        nint Dy,
        nint X,
        nint Weight,
        nint Cos,
        nint Sin,
        nint Rstd,
        nint Dx,
        nint Partials,
        long DyStride,
        long XStride,
        long CosStride,
        long SinStride,
        long DxStride,
        int Length,
        int Tokens,
        int FirstRow,
        int Heads,
        int Width,
        int Chunk,
        int Team
    );
}
