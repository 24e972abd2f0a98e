using CoGrpo.Runtime.Cuda;
using CoGrpo.Runtime.Cuda.Kernels;

namespace CoGrpo.Runtime.Backends.Cuda;

public sealed unsafe partial class CudaBackend
{
    // As in kernels/depthwiseconv.cu.
    private const int ConvBlock = 256;
    private const int ConvChannels = 32;
    private const int ConvSumBytes = ConvBlock / 32 * ConvChannels * 10 * sizeof(float);

    /// <summary>Shared memory for pixels that a block may ask for: with its weights it stays below the 48 KiB that every device has.</summary>
    private const int ConvPixelBytes = 46 << 10;

    /// <summary>Output rows of a block whose threads read pixels where they need them.</summary>
    private const int ConvPlainRows = 8;

    private static readonly StorageKernelName<DepthwiseConvArguments> DepthwiseConvForward = new("depthwiseconv", "depthwiseconv_forward");
    private static readonly StorageKernelName<DepthwiseConvBackwardArguments> DepthwiseConvBackwardKernel = new(
        "depthwiseconv",
        "depthwiseconv_backward"
    );

    /// <inheritdoc cref="IBackend.DepthwiseConv"/>
    public void DepthwiseConv(Tensor x, Tensor weight, Tensor bias, Tensor y)
    {
        RequireDepthwiseConv(x, weight, y);
        Require.Count(bias, x.Columns, x.Type);
        if (y.Shape.Count == 0)
        {
            return;
        }

        Shape s = x.Shape, o = y.Shape;
        bool aligned = HasQuads(x) && HasQuads(y);
        int rows = aligned ? ConvTileRows(s, o, backward: false) : 0;
        bool tiled = rows > 0;
        rows = tiled ? rows : ConvPlainRows;
        Launch(
            DepthwiseConvForward[x.Type],
            ConvGrid(o, rows, tiled),
            new Dim3(ConvBlock),
            new DepthwiseConvArguments(
                x.Address,
                weight.Address,
                bias.Address,
                y.Address,
                x.RowStride,
                y.RowStride,
                s[1],
                s[2],
                s[3],
                o[1],
                o[2],
                rows,
                Flag(tiled)
            ),
            tiled ? ConvBytes(s, o, rows, backward: false) : 0
        );
    }

    /// <inheritdoc cref="IBackend.DepthwiseConvBackward"/>
    public void DepthwiseConvBackward(Tensor dy, Tensor x, Tensor weight, Tensor dx, Tensor dweight, Tensor dbias)
    {
        RequireDepthwiseConv(x, weight, dy);
        Require.Count(dweight, 9L * x.Columns);
        Require.Count(dbias, x.Columns);
        if (!dx.IsNone)
        {
            Require.Matrix(dx, x.Rows, x.Columns, x.Type);
        }

        if (dy.Shape.Count == 0)
        {
            return;
        }

        Shape s = x.Shape, o = dy.Shape;
        (int rows, bool tiled) = ConvBackwardRows(dy, x, dx);
        Dim3 grid = ConvGrid(o, rows, tiled);
        int blocks = checked((int)(grid.Y * grid.Z));
        nint weightPartials = _workspace.Take(DepthwiseConvBackwardWorkspace(dy, x, dx));
        nint biasPartials = weightPartials + (nint)(9L * blocks * x.Columns * sizeof(float));
        Launch(
            DepthwiseConvBackwardKernel[x.Type],
            grid,
            new Dim3(ConvBlock),
            new DepthwiseConvBackwardArguments(
                dy.Address,
                x.Address,
                weight.Address,
                dx.Address,
                weightPartials,
                biasPartials,
                dy.RowStride,
                x.RowStride,
                dx.RowStride,
                s[1],
                s[2],
                s[3],
                o[1],
                o[2],
                rows,
                Flag(tiled)
            ),
            tiled ? ConvBytes(s, o, rows, backward: true) : 0
        );
        ColumnSum(weightPartials, blocks, dweight.Reshape(new Shape(1, 9 * x.Columns)));
        ColumnSum(biasPartials, blocks, dbias.Reshape(new Shape(1, x.Columns)));
    }

    /// <summary>Bytes that <see cref="DepthwiseConvBackward"/> takes for partial results.</summary>
    internal static long DepthwiseConvBackwardWorkspace(Tensor dy, Tensor x, Tensor dx)
    {
        (int rows, bool tiled) = ConvBackwardRows(dy, x, dx);
        Dim3 grid = ConvGrid(dy.Shape, rows, tiled);
        return 10L * grid.Y * grid.Z * x.Columns * sizeof(float);
    }

    /// <summary>Output rows that a block of the backward pass takes, and whether their pixels go through shared memory.</summary>
    private static (int Rows, bool Tiled) ConvBackwardRows(Tensor dy, Tensor x, Tensor dx)
    {
        bool aligned = HasQuads(x) && HasQuads(dy) && (dx.IsNone || HasQuads(dx));
        int rows = aligned ? ConvTileRows(x.Shape, dy.Shape, backward: true) : 0;
        return rows > 0 ? (rows, true) : (ConvPlainRows, false);
    }

    /// <summary>Blocks of channels, tiles of output rows, images.</summary>
    private static Dim3 ConvGrid(Shape output, int rows, bool tiled) =>
        Dim3.Of(Blocks(output[3], tiled ? ConvChannels : ConvBlock), Blocks(output[1], rows), output[0]);

    /// <summary>The largest number of output rows whose pixels fit the shared memory of a block, 0 if not even one does.</summary>
    private static int ConvTileRows(Shape input, Shape output, bool backward)
    {
        int rows = output[1];
        while (rows > 0 && ConvBytes(input, output, rows, backward) > ConvPixelBytes)
        {
            rows--;
        }

        return rows;
    }

    private static int ConvBytes(Shape input, Shape output, int rows, bool backward)
    {
        const int PixelBytes = ConvChannels * sizeof(float);
        long x = (long)Math.Min((2 * rows) + 1, input[1]) * input[2] * PixelBytes;
        long dy = (long)Math.Min(rows + 1, output[1]) * output[2] * PixelBytes;
        return (int)Math.Min(int.MaxValue, backward ? Math.Max(x, ConvSumBytes) + dy : x);
    }

    /// <summary>Whether four channels of every pixel can be moved at once.</summary>
    private static bool HasQuads(Tensor x) => x.Address % 16 == 0 && x.Columns % 4 == 0 && x.RowStride % 4 == 0;

    private static void RequireDepthwiseConv(Tensor x, Tensor weight, Tensor y)
    {
        Require.Storage(x);
        Require.Rank(x, 4);
        Require.Rank(y, 4);
        Require.Matrix(y, -1, x.Columns, x.Type);
        Require.Count(weight, 9L * x.Columns, x.Type);
        Require.That(y.Shape[0] == x.Shape[0] && y.Shape[1] == (x.Shape[1] + 1) / 2 && y.Shape[2] == (x.Shape[2] + 1) / 2, nameof(y), y,
            "the images of x at half height and width, rounded up");
    }

    private readonly record struct DepthwiseConvArguments(
        nint X,
        nint Weight,
        nint Bias,
        nint Y,
        long XStride,
        long YStride,
        int Height,
        int Width,
        int Channels,
        int OutHeight,
        int OutWidth,
        int TileRows,
        int Tiled
    );

    private readonly record struct DepthwiseConvBackwardArguments(
        nint Dy,
        nint X,
        nint Weight,
        nint Dx,
        nint WeightPartials,
        nint BiasPartials,
        long DyStride,
        long XStride,
        long DxStride,
        int Height,
        int Width,
        int Channels,
        int OutHeight,
        int OutWidth,
        int TileRows,
        int Tiled
    );
}
