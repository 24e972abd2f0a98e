using System.Numerics;
using CoGrpo.Runtime.Cuda;

namespace CoGrpo.Runtime.Backends.Cuda;

public sealed unsafe partial class CudaBackend
{
    private const int ElementBlock = 256;
    private const int MaxGridY = 65535;

    /// <summary>The elements of tensors of one shape and element type: one long row when all of them are contiguous, else row by row.</summary>
    /// <param name="x">The first.</param>
    /// <param name="more">The others; none is passed over.</param>
    private static ElementGrid Elements(Tensor x, params ReadOnlySpan<Tensor> more)
    {
        bool contiguous = x.IsContiguous;
        foreach (Tensor tensor in more)
        {
            contiguous &= tensor.IsNone || tensor.IsContiguous;
        }

        bool vectors = RunsAligned(x, contiguous);
        foreach (Tensor tensor in more)
        {
            vectors &= tensor.IsNone || RunsAligned(tensor, contiguous);
        }

        return new ElementGrid(contiguous ? 1 : x.Rows, contiguous ? x.Shape.Count : x.Columns, Flag(vectors));
    }

    /// <summary>
    /// Grid and block of an element-wise kernel whose threads own <paramref name="run"/> elements (1 where the grid has no vectors).
    /// </summary>
    private static (Dim3 Grid, Dim3 Block) ElementShape(in ElementGrid elements, int run)
    {
        long runs = Blocks(elements.Columns, elements.Vectors != 0 ? run : 1);
        int across = elements.Rows == 1 ? ElementBlock : (int)Math.Min(ElementBlock, BitOperations.RoundUpToPowerOf2((ulong)runs));
        int down = ElementBlock / across;
        return (Dim3.Of(Blocks(runs, across), Math.Min(Blocks(elements.Rows, down), MaxGridY)), new Dim3((uint)across, (uint)down));
    }

    /// <summary>Elements of a type that fill 16 bytes.</summary>
    private static int RunLength(ElementType type) => 16 / type.Size();

    private static int Flag(bool value) => value ? 1 : 0;

    /// <summary>
    /// Whether every row (of which there is one when contiguous) starts with an aligned run of 16 bytes; it may end with a shorter one.
    /// </summary>
    private static bool RunsAligned(Tensor x, bool contiguous) => x.Address % 16 == 0 && (contiguous || x.RowStride % RunLength(x.Type) == 0);

    /// <summary>As ElementGrid in kernels/elements.cuh.</summary>
    private readonly record struct ElementGrid(long Rows, long Columns, int Vectors);
}
