using CoGrpo.Runtime.Cuda;
using CoGrpo.Runtime.Cuda.Kernels;

namespace CoGrpo.Runtime.Backends.Cuda;

public sealed unsafe partial class CudaBackend
{
    // As in kernels/nearestcode.cu and linearsimt.cuh.
    private const int NearestCodeRows = 128;
    private const int NearestCodeColumns = 64;
    private const int NearestCodeFinishBlock = 256;

    /// <summary>Blocks that fill the largest device twice over, and codes that are worth a part of their own.</summary>
    private const int NearestCodeBlocks = 528;
    private const int NearestCodePart = 256;

    private static readonly KernelName<NearestCodeArguments> NearestCodeKernel = new("nearestcode", "nearestcode");
    private static readonly KernelName<NearestCodeArguments> NearestCodeFinish = new("nearestcode", "nearestcode_finish");

    /// <inheritdoc cref="IBackend.NearestCode"/>
    public void NearestCode(Tensor x, Tensor codebook, Tensor codes)
    {
        Require.NearestCode(x, codebook, codes);
        (int rows, int count) = (x.Rows, codebook.Rows);
        if (rows == 0)
        {
            return;
        }

        long rowBlocks = Blocks(rows, NearestCodeRows);
        long wanted = Math.Clamp(NearestCodeBlocks / rowBlocks, 1, Blocks(count, NearestCodePart));
        int partSize = (int)(Blocks(Blocks(count, wanted), NearestCodeColumns) * NearestCodeColumns);
        int parts = (int)Blocks(count, partSize);
        long partBytes = (long)parts * rows * sizeof(float);
        nint distances = parts > 1 ? _workspace.Take(2 * partBytes) : 0;
        var arguments = new NearestCodeArguments(x.Address, codebook.Address, codes.Address, distances, distances + (nint)partBytes, x.RowStride, codebook.RowStride, rows, count, x.Columns,
            partSize, parts, Flag(HasVectors(x)), Flag(HasVectors(codebook)));
        Launch(NearestCodeKernel, Dim3.Of(rowBlocks, parts), new Dim3(128), in arguments);
        if (parts > 1)
        {
            Launch(NearestCodeFinish, Dim3.Of(Blocks(rows, NearestCodeFinishBlock)), new Dim3(NearestCodeFinishBlock), in arguments);
        }
    }

    private readonly record struct NearestCodeArguments(nint X, nint Codebook, nint Codes, nint PartDistances, nint PartCodes, long XStride, long CodebookStride, int Rows, int CodeCount, int Width,
        int PartSize, int Parts, int XVectors, int CodebookVectors);
}
