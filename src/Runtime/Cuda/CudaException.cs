namespace CoGrpo.Runtime.Cuda;

/// <summary>
/// The CUDA driver, NVRTC or cuBLASLt refused or failed. The message says what was tried, where, what came back and what to do next.
/// </summary>
public class CudaException : Exception
{
    /// <summary>A failure with a driver result.</summary>
    public CudaException(string message, CudaResult result)
        : base(message) => Result = result;

    /// <summary>A failure that has no driver result: a missing library, a compiler's error.</summary>
    public CudaException(string message)
        : this(message, CudaResult.Unknown)
    {
    }

    /// <summary>The driver's result, <see cref="CudaResult.Unknown"/> where there is none.</summary>
    public CudaResult Result { get; }
}
