using System.Runtime.InteropServices;
using CoGrpo.Runtime.Cuda;

namespace CoGrpo.CudaEmulator.Driver;

/// <summary>
/// The functions of the driver, by exported name. Each is a plain C function; what it does stands in the parts of this class. Devices,
/// contexts and errors are here.
/// </summary>
internal static unsafe partial class DriverTable
{
    /// <summary>CUDA version that the driver says it has: the one whose PTX it reads.</summary>
    public const int Version = 12040;

    private static readonly Dictionary<string, nint> Addresses = new(StringComparer.Ordinal)
    {
        ["cuInit"] = (nint)(delegate* unmanaged<uint, CudaResult>)&Init,
        ["cuDriverGetVersion"] = (nint)(delegate* unmanaged<int*, CudaResult>)&DriverGetVersion,
        ["cuGetErrorName"] = (nint)(delegate* unmanaged<CudaResult, byte**, CudaResult>)&GetErrorName,
        ["cuGetErrorString"] = (nint)(delegate* unmanaged<CudaResult, byte**, CudaResult>)&GetErrorString,
        ["cuDeviceGetCount"] = (nint)(delegate* unmanaged<int*, CudaResult>)&DeviceGetCount,
        ["cuDeviceGet"] = (nint)(delegate* unmanaged<int*, int, CudaResult>)&DeviceGet,
        ["cuDeviceGetName"] = (nint)(delegate* unmanaged<byte*, int, int, CudaResult>)&DeviceGetName,
        ["cuDeviceGetAttribute"] = (nint)(delegate* unmanaged<int*, CudaDeviceAttribute, int, CudaResult>)&DeviceGetAttribute,
        ["cuDeviceTotalMem_v2"] = (nint)(delegate* unmanaged<nuint*, int, CudaResult>)&DeviceTotalMem,
        ["cuCtxCreate_v2"] = (nint)(delegate* unmanaged<nint*, uint, int, CudaResult>)&CtxCreate,
        ["cuCtxDestroy_v2"] = (nint)(delegate* unmanaged<nint, CudaResult>)&CtxDestroy,
        ["cuCtxSetCurrent"] = (nint)(delegate* unmanaged<nint, CudaResult>)&CtxSetCurrent,
        ["cuCtxGetCurrent"] = (nint)(delegate* unmanaged<nint*, CudaResult>)&CtxGetCurrent,
        ["cuCtxSynchronize"] = (nint)(delegate* unmanaged<CudaResult>)&CtxSynchronize,
        ["cuMemGetInfo_v2"] = (nint)(delegate* unmanaged<nuint*, nuint*, CudaResult>)&MemGetInfo,
        ["cuMemAlloc_v2"] = (nint)(delegate* unmanaged<ulong*, nuint, CudaResult>)&MemAlloc,
        ["cuMemFree_v2"] = (nint)(delegate* unmanaged<ulong, CudaResult>)&MemFree,
        ["cuMemHostAlloc"] = (nint)(delegate* unmanaged<void**, nuint, uint, CudaResult>)&MemHostAlloc,
        ["cuMemFreeHost"] = (nint)(delegate* unmanaged<void*, CudaResult>)&MemFreeHost,
        ["cuMemcpyHtoDAsync_v2"] = (nint)(delegate* unmanaged<ulong, void*, nuint, nint, CudaResult>)&MemcpyHtoD,
        ["cuMemcpyDtoHAsync_v2"] = (nint)(delegate* unmanaged<void*, ulong, nuint, nint, CudaResult>)&MemcpyDtoH,
        ["cuMemcpyDtoDAsync_v2"] = (nint)(delegate* unmanaged<ulong, ulong, nuint, nint, CudaResult>)&MemcpyDtoD,
        ["cuMemsetD8Async"] = (nint)(delegate* unmanaged<ulong, byte, nuint, nint, CudaResult>)&MemsetD8,
        ["cuMemsetD32Async"] = (nint)(delegate* unmanaged<ulong, uint, nuint, nint, CudaResult>)&MemsetD32,
        ["cuModuleLoadDataEx"] = (nint)(delegate* unmanaged<nint*, void*, uint, int*, void**, CudaResult>)&ModuleLoad,
        ["cuModuleUnload"] = (nint)(delegate* unmanaged<nint, CudaResult>)&ModuleUnload,
        ["cuModuleGetFunction"] = (nint)(delegate* unmanaged<nint*, nint, byte*, CudaResult>)&ModuleGetFunction,
        ["cuModuleGetGlobal_v2"] = (nint)(delegate* unmanaged<ulong*, nuint*, nint, byte*, CudaResult>)&ModuleGetGlobal,
        ["cuFuncGetAttribute"] = (nint)(delegate* unmanaged<int*, CudaFunctionAttribute, nint, CudaResult>)&FuncGetAttribute,
        ["cuFuncSetAttribute"] = (nint)(delegate* unmanaged<nint, CudaFunctionAttribute, int, CudaResult>)&FuncSetAttribute,
        ["cuOccupancyMaxActiveBlocksPerMultiprocessor"] = (nint)(delegate* unmanaged<int*, nint, int, nuint, CudaResult>)&Occupancy,
        ["cuLaunchKernel"] = (nint)
            (delegate* unmanaged<nint, uint, uint, uint, uint, uint, uint, uint, nint, void**, void**, CudaResult>)&LaunchKernel,
        ["cuLaunchCooperativeKernel"] = (nint)
            (delegate* unmanaged<nint, uint, uint, uint, uint, uint, uint, uint, nint, void**, CudaResult>)&LaunchCooperativeKernel,
        ["cuStreamCreate"] = (nint)(delegate* unmanaged<nint*, uint, CudaResult>)&StreamCreate,
        ["cuStreamDestroy_v2"] = (nint)(delegate* unmanaged<nint, CudaResult>)&StreamDestroy,
        ["cuStreamSynchronize"] = (nint)(delegate* unmanaged<nint, CudaResult>)&StreamSynchronize,
        ["cuStreamQuery"] = (nint)(delegate* unmanaged<nint, CudaResult>)&StreamQuery,
        ["cuStreamWaitEvent"] = (nint)(delegate* unmanaged<nint, nint, uint, CudaResult>)&StreamWaitEvent,
        ["cuStreamBeginCapture_v2"] = (nint)(delegate* unmanaged<nint, int, CudaResult>)&StreamBeginCapture,
        ["cuStreamEndCapture"] = (nint)(delegate* unmanaged<nint, nint*, CudaResult>)&StreamEndCapture,
        ["cuEventCreate"] = (nint)(delegate* unmanaged<nint*, uint, CudaResult>)&EventCreate,
        ["cuEventDestroy_v2"] = (nint)(delegate* unmanaged<nint, CudaResult>)&EventDestroy,
        ["cuEventRecord"] = (nint)(delegate* unmanaged<nint, nint, CudaResult>)&EventRecord,
        ["cuEventSynchronize"] = (nint)(delegate* unmanaged<nint, CudaResult>)&EventSynchronize,
        ["cuEventElapsedTime"] = (nint)(delegate* unmanaged<float*, nint, nint, CudaResult>)&EventElapsedTime,
        ["cuGraphInstantiateWithFlags"] = (nint)(delegate* unmanaged<nint*, nint, ulong, CudaResult>)&GraphInstantiate,
        ["cuGraphLaunch"] = (nint)(delegate* unmanaged<nint, nint, CudaResult>)&GraphLaunch,
        ["cuGraphGetNodes"] = (nint)(delegate* unmanaged<nint, nint*, nuint*, CudaResult>)&GraphGetNodes,
        ["cuGraphExecDestroy"] = (nint)(delegate* unmanaged<nint, CudaResult>)&GraphExecDestroy,
        ["cuGraphDestroy"] = (nint)(delegate* unmanaged<nint, CudaResult>)&GraphDestroy,
    };

    private static readonly Dictionary<CudaResult, (nint Name, nint Text)> ErrorTexts = [];

    /// <summary>The address of a function.</summary>
    /// <exception cref="CudaException">The emulated driver has none of that name.</exception>
    public static nint AddressOf(string name) =>
        Addresses.TryGetValue(name, out nint address)
            ? address
            : throw new CudaException(
                $"emulated driver: wanted the function {name}, it has none of that name; add it to the driver table of the emulator"
            );

    [UnmanagedCallersOnly]
    private static CudaResult Init(uint flags) => flags == 0 ? CudaResult.Success : CudaResult.InvalidValue;

    [UnmanagedCallersOnly]
    private static CudaResult DriverGetVersion(int* version)
    {
        *version = Version;
        return CudaResult.Success;
    }

    [UnmanagedCallersOnly]
    private static CudaResult GetErrorName(CudaResult result, byte** text) => ErrorText(result, text, false);

    [UnmanagedCallersOnly]
    private static CudaResult GetErrorString(CudaResult result, byte** text) => ErrorText(result, text, true);

    [UnmanagedCallersOnly]
    private static CudaResult DeviceGetCount(int* count)
    {
        *count = EmulatedDevice.All.Count;
        return CudaResult.Success;
    }

    [UnmanagedCallersOnly]
    private static CudaResult DeviceGet(int* device, int ordinal) => DriverCall.Run(() =>
    {
        Device(ordinal);
        *device = ordinal;
    });

    [UnmanagedCallersOnly]
    private static CudaResult DeviceGetName(byte* name, int bytes, int device) => DriverCall.Run(() =>
    {
        byte[] text = System.Text.Encoding.UTF8.GetBytes(Device(device).Name);
        int count = Math.Min(text.Length, bytes - 1);
        text.AsSpan(0, count).CopyTo(new Span<byte>(name, count));
        name[count] = 0;
    });

    [UnmanagedCallersOnly]
    private static CudaResult DeviceGetAttribute(int* value, CudaDeviceAttribute attribute, int device) =>
        DriverCall.Run(() =>
            *value =
                Device(device).Attribute((int)attribute)
                ?? throw new DriverException(CudaResult.InvalidValue, $"device attribute {(int)attribute} is not known to the emulated driver")
        );

    [UnmanagedCallersOnly]
    private static CudaResult DeviceTotalMem(nuint* bytes, int device) => DriverCall.Run(() =>
    {
        Device(device);
        *bytes = (nuint)EmulatedMachine.OptionsForNext.MemoryBytes;
    });

    [UnmanagedCallersOnly]
    private static CudaResult CtxCreate(nint* context, uint flags, int device) => DriverCall.Run(() =>
    {
        EmulatedContext made = new(Device(device), EmulatedMachine.OptionsForNext);
        *context = Handles.Add(made);
        DriverCall.Current = made;
    });

    [UnmanagedCallersOnly]
    private static CudaResult CtxDestroy(nint context) => DriverCall.Run(() =>
    {
        EmulatedContext ended = DriverCall.Object<EmulatedContext>(context);
        lock (ended.Gate)
        {
            Handles.Remove(context);
            if (DriverCall.Current == ended)
            {
                DriverCall.Current = null;
            }

            ended.Destroy();
        }
    });

    [UnmanagedCallersOnly]
    private static CudaResult CtxSetCurrent(nint context) =>
        DriverCall.Run(() => DriverCall.Current = context == 0 ? null : DriverCall.Object<EmulatedContext>(context));

    [UnmanagedCallersOnly]
    private static CudaResult CtxGetCurrent(nint* context) =>
        DriverCall.Run(() => *context = DriverCall.Current is { } current ? Handles.Of(current) : 0);

    [UnmanagedCallersOnly]
    private static CudaResult CtxSynchronize() => DriverCall.InContext(context =>
    {
        DriverCall.NotWhileRecording(context, "waiting for the context");
        context.RunAll();
    });

    private static EmulatedDevice Device(int ordinal) => ordinal >= 0 && ordinal < EmulatedDevice.All.Count
        ? EmulatedDevice.All[ordinal]
        : throw new DriverException(CudaResult.InvalidDevice, $"device {ordinal}: there are {EmulatedDevice.All.Count}");

    private static CudaResult ErrorText(CudaResult result, byte** text, bool description)
    {
        if (DriverErrors.Describe(result) is not { } known)
        {
            *text = null;
            return CudaResult.InvalidValue;
        }

        lock (ErrorTexts)
        {
            if (!ErrorTexts.TryGetValue(result, out (nint Name, nint Text) texts))
            {
                texts = (Marshal.StringToCoTaskMemUTF8(known.Name), Marshal.StringToCoTaskMemUTF8(known.Text));
                ErrorTexts.Add(result, texts);
            }

            *text = (byte*)(description ? texts.Text : texts.Name);
        }

        return CudaResult.Success;
    }
}
