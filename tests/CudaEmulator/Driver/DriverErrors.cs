using CoGrpo.Runtime.Cuda;

namespace CoGrpo.CudaEmulator.Driver;

/// <summary>Result codes that the library does not tell apart, and the names and descriptions of all.</summary>
internal static class DriverErrors
{
    public const CudaResult IllegalState = (CudaResult)401;
    public const CudaResult CooperativeLaunchTooLarge = (CudaResult)720;
    public const CudaResult StreamCaptureUnmatched = (CudaResult)903;
    public const CudaResult StreamCaptureUnjoined = (CudaResult)904;
    public const CudaResult StreamCaptureIsolation = (CudaResult)905;
    public const CudaResult CapturedEvent = (CudaResult)907;
    public const CudaResult ContextIsDestroyed = (CudaResult)709;

    /// <summary>The driver's name and description of a result, or null for one that is none.</summary>
    public static (string Name, string Text)? Describe(CudaResult result) => (int)result switch
    {
        0 => ("CUDA_SUCCESS", "no error"),
        1 => ("CUDA_ERROR_INVALID_VALUE", "invalid argument"),
        2 => ("CUDA_ERROR_OUT_OF_MEMORY", "out of memory"),
        3 => ("CUDA_ERROR_NOT_INITIALIZED", "initialization error"),
        4 => ("CUDA_ERROR_DEINITIALIZED", "driver shutting down"),
        34 => ("CUDA_ERROR_STUB_LIBRARY", "CUDA driver is a stub library"),
        46 => ("CUDA_ERROR_DEVICE_UNAVAILABLE", "CUDA-capable device(s) is/are busy or unavailable"),
        100 => ("CUDA_ERROR_NO_DEVICE", "no CUDA-capable device is detected"),
        101 => ("CUDA_ERROR_INVALID_DEVICE", "invalid device ordinal"),
        200 => ("CUDA_ERROR_INVALID_IMAGE", "device kernel image is invalid"),
        201 => ("CUDA_ERROR_INVALID_CONTEXT", "invalid device context"),
        209 => ("CUDA_ERROR_NO_BINARY_FOR_GPU", "no kernel image is available for execution on the device"),
        218 => ("CUDA_ERROR_INVALID_PTX", "a PTX JIT compilation failed"),
        222 => ("CUDA_ERROR_UNSUPPORTED_PTX_VERSION", "the provided PTX was compiled with an unsupported toolchain."),
        400 => ("CUDA_ERROR_INVALID_HANDLE", "invalid resource handle"),
        401 => ("CUDA_ERROR_ILLEGAL_STATE", "the operation cannot be performed in the present state"),
        500 => ("CUDA_ERROR_NOT_FOUND", "named symbol not found"),
        600 => ("CUDA_ERROR_NOT_READY", "device not ready"),
        700 => ("CUDA_ERROR_ILLEGAL_ADDRESS", "an illegal memory access was encountered"),
        701 => ("CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES", "too many resources requested for launch"),
        702 => ("CUDA_ERROR_LAUNCH_TIMEOUT", "the launch timed out and was terminated"),
        709 => ("CUDA_ERROR_CONTEXT_IS_DESTROYED", "context is destroyed"),
        710 => ("CUDA_ERROR_ASSERT", "device-side assert triggered"),
        715 => ("CUDA_ERROR_ILLEGAL_INSTRUCTION", "an illegal instruction was encountered"),
        716 => ("CUDA_ERROR_MISALIGNED_ADDRESS", "misaligned address"),
        719 => ("CUDA_ERROR_LAUNCH_FAILED", "unspecified launch failure"),
        720 => ("CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE", "too many blocks in cooperative launch"),
        801 => ("CUDA_ERROR_NOT_SUPPORTED", "operation not supported"),
        803 => ("CUDA_ERROR_SYSTEM_DRIVER_MISMATCH", "system has unsupported display driver / cuda driver combination"),
        900 => ("CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED", "operation not permitted when stream is capturing"),
        901 => ("CUDA_ERROR_STREAM_CAPTURE_INVALIDATED", "operation failed due to a previous error during capture"),
        903 => ("CUDA_ERROR_STREAM_CAPTURE_UNMATCHED", "operation would result in a merge of separate capture sequences"),
        904 => ("CUDA_ERROR_STREAM_CAPTURE_UNJOINED", "capturing stream has unjoined work"),
        905 => ("CUDA_ERROR_STREAM_CAPTURE_ISOLATION", "dependency created on uncaptured work in another stream"),
        907 => ("CUDA_ERROR_CAPTURED_EVENT", "operation not permitted on an event last recorded in a capturing stream"),
        999 => ("CUDA_ERROR_UNKNOWN", "unknown error"),
        _ => null,
    };

    /// <summary>The code with which a device ends after a violation.</summary>
    public static CudaResult Of(ViolationKind kind) => kind switch
    {
        ViolationKind.OutOfBounds or ViolationKind.UseAfterFree or ViolationKind.Poisoned or ViolationKind.ReadOnly => CudaResult.IllegalAddress,
        ViolationKind.Misaligned => CudaResult.MisalignedAddress,
        ViolationKind.Assertion => CudaResult.Assert,
        ViolationKind.InstructionLimit => CudaResult.LaunchTimeout,
        ViolationKind.NotSupported => CudaResult.IllegalInstruction,
        _ => CudaResult.LaunchFailed,
    };
}
