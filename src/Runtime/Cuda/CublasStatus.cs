namespace CoGrpo.Runtime.Cuda;

/// <summary>Result codes of cuBLASLt (cuBLAS API, enum cublasStatus_t). Others keep their number.</summary>
public enum CublasStatus
{
    /// <summary>The call did what it should.</summary>
    Success = 0,

    /// <summary>The library could not be initialised: no driver, no device, or no memory for its own use.</summary>
    NotInitialized = 1,

    /// <summary>No memory left.</summary>
    AllocationFailed = 3,

    /// <summary>An argument is out of range.</summary>
    InvalidValue = 7,

    /// <summary>The device lacks something that the call needs.</summary>
    ArchitectureMismatch = 8,

    /// <summary>Device memory could not be reached.</summary>
    MappingError = 11,

    /// <summary>A kernel of the library failed.</summary>
    ExecutionFailed = 13,

    /// <summary>The library failed inside.</summary>
    InternalError = 14,

    /// <summary>There is no algorithm for what was asked.</summary>
    NotSupported = 15,
}
