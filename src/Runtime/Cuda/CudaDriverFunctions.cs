namespace CoGrpo.Runtime.Cuda;

/// <summary>
/// The functions of the CUDA driver that this library calls, by their exported names. Filled from the driver's library, or by a device that
/// stands in for one in tests. All are plain C calls; handles are <see cref="nint"/>, device addresses <see cref="ulong"/>.
/// </summary>
/// <remarks>Suffix <c>_v2</c> and the like are part of the exported name where the header hides them behind a macro.</remarks>
public readonly unsafe struct CudaDriverFunctions
{
#pragma warning disable SA1310, CA1051, IDE1006 // The exported names.
    internal readonly delegate* unmanaged<uint, CudaResult> cuInit;
    internal readonly delegate* unmanaged<int*, CudaResult> cuDriverGetVersion;
    internal readonly delegate* unmanaged<CudaResult, byte**, CudaResult> cuGetErrorName;
    internal readonly delegate* unmanaged<CudaResult, byte**, CudaResult> cuGetErrorString;
    internal readonly delegate* unmanaged<int*, CudaResult> cuDeviceGetCount;
    internal readonly delegate* unmanaged<int*, int, CudaResult> cuDeviceGet;
    internal readonly delegate* unmanaged<byte*, int, int, CudaResult> cuDeviceGetName;
    internal readonly delegate* unmanaged<int*, CudaDeviceAttribute, int, CudaResult> cuDeviceGetAttribute;
    internal readonly delegate* unmanaged<nuint*, int, CudaResult> cuDeviceTotalMem_v2;
    internal readonly delegate* unmanaged<nint*, uint, int, CudaResult> cuCtxCreate_v2;
    internal readonly delegate* unmanaged<nint, CudaResult> cuCtxDestroy_v2;
    internal readonly delegate* unmanaged<nint, CudaResult> cuCtxSetCurrent;
    internal readonly delegate* unmanaged<nint*, CudaResult> cuCtxGetCurrent;
    internal readonly delegate* unmanaged<CudaResult> cuCtxSynchronize;
    internal readonly delegate* unmanaged<nuint*, nuint*, CudaResult> cuMemGetInfo_v2;
    internal readonly delegate* unmanaged<ulong*, nuint, CudaResult> cuMemAlloc_v2;
    internal readonly delegate* unmanaged<ulong, CudaResult> cuMemFree_v2;
    internal readonly delegate* unmanaged<void**, nuint, uint, CudaResult> cuMemHostAlloc;
    internal readonly delegate* unmanaged<void*, CudaResult> cuMemFreeHost;
    internal readonly delegate* unmanaged<ulong, void*, nuint, nint, CudaResult> cuMemcpyHtoDAsync_v2;
    internal readonly delegate* unmanaged<void*, ulong, nuint, nint, CudaResult> cuMemcpyDtoHAsync_v2;
    internal readonly delegate* unmanaged<ulong, ulong, nuint, nint, CudaResult> cuMemcpyDtoDAsync_v2;
    internal readonly delegate* unmanaged<ulong, byte, nuint, nint, CudaResult> cuMemsetD8Async;
    internal readonly delegate* unmanaged<ulong, uint, nuint, nint, CudaResult> cuMemsetD32Async;
    internal readonly delegate* unmanaged<nint*, void*, uint, int*, void**, CudaResult> cuModuleLoadDataEx;
    internal readonly delegate* unmanaged<nint, CudaResult> cuModuleUnload;
    internal readonly delegate* unmanaged<nint*, nint, byte*, CudaResult> cuModuleGetFunction;
    internal readonly delegate* unmanaged<ulong*, nuint*, nint, byte*, CudaResult> cuModuleGetGlobal_v2;
    internal readonly delegate* unmanaged<int*, CudaFunctionAttribute, nint, CudaResult> cuFuncGetAttribute;
    internal readonly delegate* unmanaged<nint, CudaFunctionAttribute, int, CudaResult> cuFuncSetAttribute;
    internal readonly delegate* unmanaged<int*, nint, int, nuint, CudaResult> cuOccupancyMaxActiveBlocksPerMultiprocessor;
    internal readonly delegate* unmanaged<nint, uint, uint, uint, uint, uint, uint, uint, nint, void**, void**, CudaResult> cuLaunchKernel;
    internal readonly delegate* unmanaged<nint, uint, uint, uint, uint, uint, uint, uint, nint, void**, CudaResult> cuLaunchCooperativeKernel;
    internal readonly delegate* unmanaged<nint*, uint, CudaResult> cuStreamCreate;
    internal readonly delegate* unmanaged<nint, CudaResult> cuStreamDestroy_v2;
    internal readonly delegate* unmanaged<nint, CudaResult> cuStreamSynchronize;
    internal readonly delegate* unmanaged<nint, CudaResult> cuStreamQuery;
    internal readonly delegate* unmanaged<nint, nint, uint, CudaResult> cuStreamWaitEvent;
    internal readonly delegate* unmanaged<nint, int, CudaResult> cuStreamBeginCapture_v2;
    internal readonly delegate* unmanaged<nint, nint*, CudaResult> cuStreamEndCapture;
    internal readonly delegate* unmanaged<nint*, uint, CudaResult> cuEventCreate;
    internal readonly delegate* unmanaged<nint, CudaResult> cuEventDestroy_v2;
    internal readonly delegate* unmanaged<nint, nint, CudaResult> cuEventRecord;
    internal readonly delegate* unmanaged<nint, CudaResult> cuEventSynchronize;
    internal readonly delegate* unmanaged<float*, nint, nint, CudaResult> cuEventElapsedTime;
    internal readonly delegate* unmanaged<nint*, nint, ulong, CudaResult> cuGraphInstantiateWithFlags;
    internal readonly delegate* unmanaged<nint, nint, CudaResult> cuGraphLaunch;
    internal readonly delegate* unmanaged<nint, nint*, nuint*, CudaResult> cuGraphGetNodes;
    internal readonly delegate* unmanaged<nint, CudaResult> cuGraphExecDestroy;
    internal readonly delegate* unmanaged<nint, CudaResult> cuGraphDestroy;
#pragma warning restore SA1310, CA1051, IDE1006

    /// <summary>The table whose entries are what <paramref name="address"/> answers for each exported name.</summary>
    public CudaDriverFunctions(Func<string, nint> address)
    {
        ArgumentNullException.ThrowIfNull(address);
        cuInit = (delegate* unmanaged<uint, CudaResult>)address(nameof(cuInit));
        cuDriverGetVersion = (delegate* unmanaged<int*, CudaResult>)address(nameof(cuDriverGetVersion));
        cuGetErrorName = (delegate* unmanaged<CudaResult, byte**, CudaResult>)address(nameof(cuGetErrorName));
        cuGetErrorString = (delegate* unmanaged<CudaResult, byte**, CudaResult>)address(nameof(cuGetErrorString));
        cuDeviceGetCount = (delegate* unmanaged<int*, CudaResult>)address(nameof(cuDeviceGetCount));
        cuDeviceGet = (delegate* unmanaged<int*, int, CudaResult>)address(nameof(cuDeviceGet));
        cuDeviceGetName = (delegate* unmanaged<byte*, int, int, CudaResult>)address(nameof(cuDeviceGetName));
        cuDeviceGetAttribute = (delegate* unmanaged<int*, CudaDeviceAttribute, int, CudaResult>)address(nameof(cuDeviceGetAttribute));
        cuDeviceTotalMem_v2 = (delegate* unmanaged<nuint*, int, CudaResult>)address(nameof(cuDeviceTotalMem_v2));
        cuCtxCreate_v2 = (delegate* unmanaged<nint*, uint, int, CudaResult>)address(nameof(cuCtxCreate_v2));
        cuCtxDestroy_v2 = (delegate* unmanaged<nint, CudaResult>)address(nameof(cuCtxDestroy_v2));
        cuCtxSetCurrent = (delegate* unmanaged<nint, CudaResult>)address(nameof(cuCtxSetCurrent));
        cuCtxGetCurrent = (delegate* unmanaged<nint*, CudaResult>)address(nameof(cuCtxGetCurrent));
        cuCtxSynchronize = (delegate* unmanaged<CudaResult>)address(nameof(cuCtxSynchronize));
        cuMemGetInfo_v2 = (delegate* unmanaged<nuint*, nuint*, CudaResult>)address(nameof(cuMemGetInfo_v2));
        cuMemAlloc_v2 = (delegate* unmanaged<ulong*, nuint, CudaResult>)address(nameof(cuMemAlloc_v2));
        cuMemFree_v2 = (delegate* unmanaged<ulong, CudaResult>)address(nameof(cuMemFree_v2));
        cuMemHostAlloc = (delegate* unmanaged<void**, nuint, uint, CudaResult>)address(nameof(cuMemHostAlloc));
        cuMemFreeHost = (delegate* unmanaged<void*, CudaResult>)address(nameof(cuMemFreeHost));
        cuMemcpyHtoDAsync_v2 = (delegate* unmanaged<ulong, void*, nuint, nint, CudaResult>)address(nameof(cuMemcpyHtoDAsync_v2));
        cuMemcpyDtoHAsync_v2 = (delegate* unmanaged<void*, ulong, nuint, nint, CudaResult>)address(nameof(cuMemcpyDtoHAsync_v2));
        cuMemcpyDtoDAsync_v2 = (delegate* unmanaged<ulong, ulong, nuint, nint, CudaResult>)address(nameof(cuMemcpyDtoDAsync_v2));
        cuMemsetD8Async = (delegate* unmanaged<ulong, byte, nuint, nint, CudaResult>)address(nameof(cuMemsetD8Async));
        cuMemsetD32Async = (delegate* unmanaged<ulong, uint, nuint, nint, CudaResult>)address(nameof(cuMemsetD32Async));
        cuModuleLoadDataEx = (delegate* unmanaged<nint*, void*, uint, int*, void**, CudaResult>)address(nameof(cuModuleLoadDataEx));
        cuModuleUnload = (delegate* unmanaged<nint, CudaResult>)address(nameof(cuModuleUnload));
        cuModuleGetFunction = (delegate* unmanaged<nint*, nint, byte*, CudaResult>)address(nameof(cuModuleGetFunction));
        cuModuleGetGlobal_v2 = (delegate* unmanaged<ulong*, nuint*, nint, byte*, CudaResult>)address(nameof(cuModuleGetGlobal_v2));
        cuFuncGetAttribute = (delegate* unmanaged<int*, CudaFunctionAttribute, nint, CudaResult>)address(nameof(cuFuncGetAttribute));
        cuFuncSetAttribute = (delegate* unmanaged<nint, CudaFunctionAttribute, int, CudaResult>)address(nameof(cuFuncSetAttribute));
        cuOccupancyMaxActiveBlocksPerMultiprocessor = (delegate* unmanaged<int*, nint, int, nuint, CudaResult>)address(
            nameof(cuOccupancyMaxActiveBlocksPerMultiprocessor)
        );
        cuLaunchKernel = (delegate* unmanaged<nint, uint, uint, uint, uint, uint, uint, uint, nint, void**, void**, CudaResult>)address(
            nameof(cuLaunchKernel)
        );
        cuLaunchCooperativeKernel = (delegate* unmanaged<nint, uint, uint, uint, uint, uint, uint, uint, nint, void**, CudaResult>)address(
            nameof(cuLaunchCooperativeKernel)
        );
        cuStreamCreate = (delegate* unmanaged<nint*, uint, CudaResult>)address(nameof(cuStreamCreate));
        cuStreamDestroy_v2 = (delegate* unmanaged<nint, CudaResult>)address(nameof(cuStreamDestroy_v2));
        cuStreamSynchronize = (delegate* unmanaged<nint, CudaResult>)address(nameof(cuStreamSynchronize));
        cuStreamQuery = (delegate* unmanaged<nint, CudaResult>)address(nameof(cuStreamQuery));
        cuStreamWaitEvent = (delegate* unmanaged<nint, nint, uint, CudaResult>)address(nameof(cuStreamWaitEvent));
        cuStreamBeginCapture_v2 = (delegate* unmanaged<nint, int, CudaResult>)address(nameof(cuStreamBeginCapture_v2));
        cuStreamEndCapture = (delegate* unmanaged<nint, nint*, CudaResult>)address(nameof(cuStreamEndCapture));
        cuEventCreate = (delegate* unmanaged<nint*, uint, CudaResult>)address(nameof(cuEventCreate));
        cuEventDestroy_v2 = (delegate* unmanaged<nint, CudaResult>)address(nameof(cuEventDestroy_v2));
        cuEventRecord = (delegate* unmanaged<nint, nint, CudaResult>)address(nameof(cuEventRecord));
        cuEventSynchronize = (delegate* unmanaged<nint, CudaResult>)address(nameof(cuEventSynchronize));
        cuEventElapsedTime = (delegate* unmanaged<float*, nint, nint, CudaResult>)address(nameof(cuEventElapsedTime));
        cuGraphInstantiateWithFlags = (delegate* unmanaged<nint*, nint, ulong, CudaResult>)address(nameof(cuGraphInstantiateWithFlags));
        cuGraphLaunch = (delegate* unmanaged<nint, nint, CudaResult>)address(nameof(cuGraphLaunch));
        cuGraphGetNodes = (delegate* unmanaged<nint, nint*, nuint*, CudaResult>)address(nameof(cuGraphGetNodes));
        cuGraphExecDestroy = (delegate* unmanaged<nint, CudaResult>)address(nameof(cuGraphExecDestroy));
        cuGraphDestroy = (delegate* unmanaged<nint, CudaResult>)address(nameof(cuGraphDestroy));
    }
}
