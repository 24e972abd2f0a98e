using CoGrpo.Runtime.Cuda;
using CoGrpo.Runtime.Cuda.Kernels;

namespace CoGrpo.Runtime.Backends.Cuda;

public sealed unsafe partial class CudaBackend
{
    private const int Conv3x3FoldBlock = 256;

    private static readonly KernelName<Conv3x3Arguments> Conv3x3Float = new("conv3x3any", "conv3x3any_f32");
    private static readonly KernelName<Conv3x3Arguments> Conv3x3Any = new("conv3x3any", "conv3x3any_bf16");
    private static readonly StorageKernelName<Conv3x3FoldArguments> Conv3x3Fold = new("conv3x3fold", "conv3x3fold");

    // In the order of LinearTiles.
    private static readonly KernelName<Conv3x3Arguments>[] Conv3x3Tiles =
        [new("conv3x3", "conv3x3_small_bf16"), new("conv3x3", "conv3x3_medium_bf16"), new("conv3x3", "conv3x3_large_bf16")];

    /// <inheritdoc cref="IBackend.Conv3x3"/>
    public void Conv3x3(Tensor x, Tensor weight, Tensor bias, Tensor y, ConvForm form, Tensor residual = default)
    {
        Require.Conv3x3(x, weight, bias, y, form, residual);
        Require.Storage(x);
        if (y.Shape.Count == 0)
        {
            return;
        }

        bool doubled = form == ConvForm.Doubled;
        int phases = doubled ? 4 : 1;
        PatchArguments patch = new(
            x.RowStride,
            x.Columns,
            x.Shape[1],
            x.Shape[2],
            doubled ? x.Shape[1] : y.Shape[1],
            doubled ? x.Shape[2] : y.Shape[2],
            form == ConvForm.Halved ? 2 : 1,
            form == ConvForm.Same ? -1 : 0,
            doubled ? 2 : 3,
            Flag(doubled)
        );
        (int outputs, int depth) = (y.Columns, patch.Taps * patch.Taps * x.Columns);
        Tensor taps = new(doubled ? FoldedTaps(weight, outputs, x.Columns) : weight.Address, new Shape(outputs, depth), x.Type);
        LinearArguments product = Product(x, true, taps, true, y, y.Shape[0] * patch.OutHeight * patch.OutWidth, outputs, depth) with
        {
            Bias = bias.Address,
            Residual = residual.Address,
            ResidualStride = residual.RowStride,
            Vectors = Flag(HasVectors(y) && AbsentOrVectors(bias) && AbsentOrVectors(residual)),
        };
        (LinearTile tile, KernelName<Conv3x3Arguments> kernel) = x.Type == ElementType.Float32 ? (LinearTile.Simt, Conv3x3Float)
            : !HasVectors(x) || !HasVectors(taps) ? (LinearTile.Small, Conv3x3Any)
            : Conv3x3Tile(in product, phases);
        Launch(
            kernel,
            Dim3.Of(tile.Count(product.Rows, outputs), 1, phases),
            Dim3.Of(tile.Threads),
            new Conv3x3Arguments(product, patch),
            tile.SharedBytes
        );
    }

    private (LinearTile Tile, KernelName<Conv3x3Arguments> Kernel) Conv3x3Tile(in LinearArguments product, int phases)
    {
        int tile = FastestTile(in product, phases, Conv3x3Tiles.Length);
        return (LinearTiles[tile], Conv3x3Tiles[tile]);
    }

    /// <summary>Address of the weights for the outputs of each parity, in the workspace.</summary>
    private nint FoldedTaps(Tensor weight, int outputs, int channels)
    {
        nint folded = _workspace.Take(Conv3x3Workspace(weight, outputs, channels));
        bool vectors = weight.Address % 16 == 0 && channels % RunLength(weight.Type) == 0;
        long runs = (long)outputs * channels / (vectors ? RunLength(weight.Type) : 1);
        Launch(
            Conv3x3Fold[weight.Type],
            Dim3.Of(Blocks(runs, Conv3x3FoldBlock)),
            new Dim3(Conv3x3FoldBlock),
            new Conv3x3FoldArguments(weight.Address, folded, outputs, channels, Flag(vectors))
        );
        return folded;
    }

    // As in kernels/conv3x3.cuh.

    /// <summary>Bytes that <see cref="Conv3x3"/> takes for the taps of a doubled map.</summary>
    internal static long Conv3x3Workspace(Tensor weight, int outputs, int channels) => 16L * outputs * channels * weight.Type.Size();

    private readonly record struct PatchArguments(
        long Stride,
        int Channels,
        int Height,
        int Width,
        int OutHeight,
        int OutWidth,
        int Step,
        int First,
        int Taps,
        int Doubled
    );

    private readonly record struct Conv3x3Arguments(LinearArguments Product, PatchArguments Patch);

    private readonly record struct Conv3x3FoldArguments(nint Weight, nint Folded, int Outputs, int Channels, int Vectors);
}
