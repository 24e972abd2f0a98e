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

        (int partSize, int parts) = NearestCodeParts(rows, count);
        long bytes = NearestCodeWorkspace(rows, count), partBytes = bytes / 2;
        nint distances = bytes > 0 ? _workspace.Take(bytes) : 0;
        var arguments = new NearestCodeArguments(
            x.Address,
            codebook.Address,
            codes.Address,
            distances,
            distances + (nint)partBytes,
            x.RowStride,
            codebook.RowStride,
            rows,
            count,
            x.Columns,
            partSize,
            parts,
            Flag(HasVectors(x)),
            Flag(HasVectors(codebook))
        );
        Launch(NearestCodeKernel, Dim3.Of(Blocks(rows, NearestCodeRows), parts), new Dim3(128), in arguments);
        if (parts > 1)
        {
            Launch(NearestCodeFinish, Dim3.Of(Blocks(rows, NearestCodeFinishBlock)), new Dim3(NearestCodeFinishBlock), in arguments);
        }
    }

    /// <summary>Bytes that <see cref="NearestCode"/> takes for partial results; 0 for a single part.</summary>
    internal static long NearestCodeWorkspace(int rows, int codes) =>
        NearestCodeParts(rows, codes).Count is > 1 and var parts ? 2L * parts * rows * sizeof(float) : 0;

    private static (int Codes, int Count) NearestCodeParts(int rows, int codes)
    {
        long wanted = Math.Clamp(NearestCodeBlocks / Blocks(rows, NearestCodeRows), 1, Blocks(codes, NearestCodePart));
        int part = (int)(Blocks(Blocks(codes, wanted), NearestCodeColumns) * NearestCodeColumns);
        return (part, (int)Blocks(codes, part));
    }

    private readonly record struct NearestCodeArguments(
        nint X,
        nint Codebook,
        nint Codes,
        nint PartDistances,
        nint PartCodes,
        long XStride,
        long CodebookStride,
        int Rows,
        int CodeCount,
        int Width,
        int PartSize,
        int Parts,
        int XVectors,
        int CodebookVectors
    );
}
