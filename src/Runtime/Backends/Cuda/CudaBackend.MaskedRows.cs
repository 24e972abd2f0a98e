using CoGrpo.Runtime.Cuda;
using CoGrpo.Runtime.Cuda.Kernels;

namespace CoGrpo.Runtime.Backends.Cuda;

public sealed unsafe partial class CudaBackend
{
    private static readonly KernelName<MaskedRowsArguments> MaskedRowsCount = new("maskedrows", "maskedrows_count");
    private static readonly KernelName<MaskedRowsArguments> MaskedRowsList = new("maskedrows", "maskedrows_list");

    /// <inheritdoc cref="IBackend.MaskedRows"/>
    public void MaskedRows(Tensor canvas, int maskToken, Tensor rows, Tensor count, Tensor masked, Tensor fractions)
    {
        Require.Rank(canvas, 2);
        (int images, int codes) = (canvas.Shape[0], canvas.Shape[1]);
        Require.Contiguous(canvas, images, codes, ElementType.Int32);
        Require.Count(rows, (long)images * codes, ElementType.Int32);
        Require.Count(count, 1, ElementType.Int32);
        Require.Count(masked, images, ElementType.Int32);
        Require.Count(fractions, images);
        MaskedRowsArguments arguments = new(canvas.Address, rows.Address, count.Address, masked.Address, fractions.Address, images, codes, maskToken);
        Launch(MaskedRowsCount, Dim3.Of(images), new Dim3(256), arguments);
        Launch(MaskedRowsList, Dim3.Of(images), new Dim3(256), arguments);
    }

    private readonly record struct MaskedRowsArguments(
        nint Canvas,
        nint Rows,
        nint Count,
        nint Masked,
        nint Fractions,
        int Images,
        int Positions,
        int MaskToken
    );
}
