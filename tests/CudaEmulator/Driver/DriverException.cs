using CoGrpo.Runtime.Cuda;

namespace CoGrpo.CudaEmulator.Driver;

/// <summary>A driver call that fails: the code it returns and what there is to say about it.</summary>
internal sealed class DriverException(CudaResult result, string detail) : Exception(detail)
{
    public CudaResult Result { get; } = result;
}
