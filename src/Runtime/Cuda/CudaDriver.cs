using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace CoGrpo.Runtime.Cuda;

/// <summary>
/// The CUDA driver: its functions, initialised, and the translation of its result codes into messages. One per process is enough; it owns
/// nothing that has to be freed.
/// </summary>
public sealed unsafe class CudaDriver
{
    /// <summary>Oldest driver this library runs on, in the driver's own numbering: CUDA 11.4, the first with graphs as they are used here.</summary>
    public const int OldestVersion = 11040;

    private const string UseCpu = "or use --device cpu";

    private readonly Func<string?>? _detail;

    /// <summary>A driver over a filled table, initialised here.</summary>
    /// <param name="functions">The driver's functions.</param>
    /// <param name="source">Where they come from: a library name, or the name of a device that stands in for one.</param>
    /// <param name="detail">Null, or what the stand-in has to say about the last failure beyond its code.</param>
    /// <exception cref="CudaException">The library is a stub, too old, or finds no device; the message has the remedy.</exception>
    public CudaDriver(in CudaDriverFunctions functions, string source, Func<string?>? detail = null)
    {
        Functions = functions;
        Source = source;
        _detail = detail;
        int version = 0;
        CudaResult result = functions.cuDriverGetVersion(&version);
        if (result == CudaResult.StubLibrary)
        {
            throw Stub();
        }

        Version = version;
        RequireVersion(version, source);
        result = functions.cuInit(0);
        switch (result)
        {
            case CudaResult.Success:
                break;
            case CudaResult.NoDevice:
                throw new CudaException($"NVIDIA driver {source} (CUDA {VersionText(version)}): wanted a GPU, found none (cuInit: {Name(result)}); " +
                    $"check that one is fitted and visible (nvidia-smi, CUDA_VISIBLE_DEVICES) {UseCpu}", result);
            case CudaResult.StubLibrary:
                throw Stub();
            case CudaResult.SystemDriverMismatch:
                throw new CudaException($"NVIDIA driver {source}: the library and the loaded kernel module are of different versions (cuInit: {Name(result)}); restart the machine {UseCpu}", result);
            default:
                throw new CudaException($"NVIDIA driver {source} (CUDA {VersionText(version)}): cuInit failed with {Name(result)}: {Text(result)}; reinstall the NVIDIA driver {UseCpu}", result);
        }
    }

    /// <summary>The library's file name, or the name of the device that stands in for one.</summary>
    public string Source { get; }

    /// <summary>
    /// Whether this is a device that stands in for a GPU, not NVIDIA's library: it computes what a GPU would, and its times mean nothing.
    /// </summary>
    public bool IsStandIn { get; private init; } = true;

    /// <summary>CUDA version the driver offers, 1000 · major + 10 · minor.</summary>
    public int Version { get; }

    internal CudaDriverFunctions Functions { get; }

    /// <summary>Number of devices.</summary>
    /// <exception cref="CudaException">The driver fails.</exception>
    public int DeviceCount
    {
        get
        {
            int count = 0;
            Check(Functions.cuDeviceGetCount(&count), "counting devices");
            return count;
        }
    }

    /// <summary>The system's driver.</summary>
    /// <exception cref="CudaException">It is missing, a stub, too old, or finds no device; the message says what was tried and what to
    /// do.</exception>
    public static CudaDriver Load() => Load(CudaLibraries.Driver());

    /// <summary>The driver that <paramref name="search"/> found.</summary>
    /// <exception cref="CudaException">As <see cref="Load()"/>.</exception>
    public static CudaDriver Load(NativeLibrarySearch search)
    {
        ArgumentNullException.ThrowIfNull(search);
        if (search.Found is null)
        {
            throw new CudaException($"NVIDIA driver: wanted its library on this machine, tried {string.Join(", ", search.Tried)} and found none; install the NVIDIA driver {UseCpu}");
        }

        if (!NativeLibrary.TryGetExport(search.Handle, nameof(CudaDriverFunctions.cuDriverGetVersion), out nint getVersion))
        {
            throw new CudaException($"NVIDIA driver {search.Found}: wanted a CUDA driver, the library has no function cuDriverGetVersion; name the driver's library in {CudaLibraries.DriverVariable} {UseCpu}");
        }

        // The version comes before the table: an older driver lacks functions, and which ones is no help to anybody.
        int version = 0;
        if (((delegate* unmanaged<int*, CudaResult>)getVersion)(&version) == CudaResult.Success)
        {
            RequireVersion(version, search.Found);
        }

        string offered = VersionText(version);
        return new CudaDriver(new CudaDriverFunctions(name => NativeLibrary.TryGetExport(search.Handle, name, out nint address)
            ? address
            : throw new CudaException($"NVIDIA driver {search.Found} (CUDA {offered}): wanted the function {name}, the library lacks it; reinstall the NVIDIA driver {UseCpu}")),
            search.Found) { IsStandIn = false };
    }

    /// <summary>The driver's name for a result: <c>CUDA_ERROR_NO_DEVICE</c>.</summary>
    public string Name(CudaResult result)
    {
        byte* text = null;
        return Functions.cuGetErrorName(result, &text) == CudaResult.Success && text != null
            ? Marshal.PtrToStringUTF8((nint)text)!
            : $"CUDA error {(int)result}";
    }

    /// <summary>The driver's description of a result.</summary>
    public string Text(CudaResult result)
    {
        byte* text = null;
        return Functions.cuGetErrorString(result, &text) == CudaResult.Success && text != null
            ? Marshal.PtrToStringUTF8((nint)text)!
            : "no description";
    }

    /// <summary>A driver version as people write it: 12040 is 12.4.</summary>
    public static string VersionText(int version) => $"{version / 1000}.{version % 1000 / 10}";

    /// <summary>
    /// Throws unless <paramref name="result"/> is success. <paramref name="doing"/> says what was being done: «loading module adaln».
    /// </summary>
    internal void Check(CudaResult result, string doing)
    {
        if (result != CudaResult.Success)
        {
            Fail(result, doing);
        }
    }

    private static void RequireVersion(int version, string source)
    {
        if (version < OldestVersion)
        {
            throw new CudaException($"NVIDIA driver {source}: wanted CUDA {VersionText(OldestVersion)} or later, it offers {VersionText(version)}; update the NVIDIA driver {UseCpu}");
        }
    }

    [DoesNotReturn]
    internal void Fail(CudaResult result, string doing)
    {
        string detail = _detail?.Invoke() is { Length: > 0 } more ? more : Text(result);
        throw new CudaException($"{doing}: {Name(result)}: {detail}; {Remedy(result)}", result);
    }

    private static string Remedy(CudaResult result) =>
        result switch
        {
            CudaResult.OutOfMemory => "lower the micro-batch or the model size, or free the memory other processes hold on this device",
            CudaResult.NoBinaryForGpu or CudaResult.UnsupportedPtxVersion or CudaResult.InvalidPtx =>
                "update the NVIDIA driver, or build the kernels for this device with «cogrpo-native kernels build»",
            CudaResult.IllegalAddress
            or CudaResult.MisalignedAddress
            or CudaResult.LaunchFailed
            or CudaResult.IllegalInstruction
            or CudaResult.Assert => "the context is lost; run «cogrpo-native doctor --device cuda» and report the kernel it names",
            CudaResult.DeviceUnavailable =>
                "another process holds the device exclusively; wait for it or name another device in CUDA_VISIBLE_DEVICES",
            CudaResult.StreamCaptureUnsupported or CudaResult.StreamCaptureInvalidated =>
                "this call cannot be part of a recorded graph; warm up once before recording",
            CudaResult.LaunchOutOfResources =>
                "the kernel needs more registers or shared memory than the device has; report it with the output of «cogrpo-native doctor»",
            _ => "run «cogrpo-native doctor» and report what it says",
        };

    private CudaException Stub() => new(
        $"NVIDIA driver {Source}: this is the toolkit's link-time stub, not a driver ({nameof(CudaResult.StubLibrary)}); take its folder out of the library search path and install the NVIDIA driver {UseCpu}",
        CudaResult.StubLibrary);
}
