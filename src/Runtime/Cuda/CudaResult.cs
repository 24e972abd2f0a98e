namespace CoGrpo.Runtime.Cuda;

/// <summary>Result codes of the CUDA driver (CUDA driver API, enum CUresult): the ones this library tells apart. Others keep their number.</summary>
public enum CudaResult
{
    /// <summary>The call did what it should.</summary>
    Success = 0,

    /// <summary>An argument is out of range.</summary>
    InvalidValue = 1,

    /// <summary>There is not that much device memory.</summary>
    OutOfMemory = 2,

    /// <summary>cuInit was not called or failed.</summary>
    NotInitialized = 3,

    /// <summary>The process is ending.</summary>
    Deinitialized = 4,

    /// <summary>A link-time stand-in was loaded instead of the driver.</summary>
    StubLibrary = 34,

    /// <summary>The device is in use by another context of another process, or not available.</summary>
    DeviceUnavailable = 46,

    /// <summary>The driver found no device.</summary>
    NoDevice = 100,

    /// <summary>No device of that number.</summary>
    InvalidDevice = 101,

    /// <summary>The module image is damaged or of an unknown kind.</summary>
    InvalidImage = 200,

    /// <summary>No context is current, or it was destroyed.</summary>
    InvalidContext = 201,

    /// <summary>The image holds no code for this device.</summary>
    NoBinaryForGpu = 209,

    /// <summary>PTX that the driver's compiler refuses.</summary>
    InvalidPtx = 218,

    /// <summary>PTX of a later version than the driver knows.</summary>
    UnsupportedPtxVersion = 222,

    /// <summary>A handle that is none.</summary>
    InvalidHandle = 400,

    /// <summary>The module has no symbol of that name.</summary>
    NotFound = 500,

    /// <summary>The work is not finished.</summary>
    NotReady = 600,

    /// <summary>A kernel touched memory that is none of its own.</summary>
    IllegalAddress = 700,

    /// <summary>Too many registers, too much shared memory or too many threads for one block.</summary>
    LaunchOutOfResources = 701,

    /// <summary>A kernel ran too long.</summary>
    LaunchTimeout = 702,

    /// <summary>A kernel ended in a trap.</summary>
    LaunchFailed = 719,

    /// <summary>A misaligned access.</summary>
    MisalignedAddress = 716,

    /// <summary>An instruction the device does not know.</summary>
    IllegalInstruction = 715,

    /// <summary>A device-side assertion failed.</summary>
    Assert = 710,

    /// <summary>The call is not possible on this system.</summary>
    NotSupported = 801,

    /// <summary>The device's driver and the loaded library are of different versions.</summary>
    SystemDriverMismatch = 803,

    /// <summary>The call is not allowed while a stream records a graph.</summary>
    StreamCaptureUnsupported = 900,

    /// <summary>The recording was broken by an earlier call.</summary>
    StreamCaptureInvalidated = 901,

    /// <summary>Any other failure.</summary>
    Unknown = 999,
}

/// <summary>What results mean.</summary>
internal static class CudaResultExtensions
{
    /// <summary>Whether the context that returned it answers everything with it from then on.</summary>
    public static bool IsSticky(this CudaResult result) =>
        result
            is CudaResult.IllegalAddress
                or CudaResult.MisalignedAddress
                or CudaResult.IllegalInstruction
                or CudaResult.LaunchFailed
                or CudaResult.LaunchTimeout
                or CudaResult.Assert
                or CudaResult.Unknown;
}
