namespace CoGrpo.Runtime.Cuda;

/// <summary>Device attributes this library asks for (CUDA driver API, enum CUdevice_attribute).</summary>
public enum CudaDeviceAttribute
{
    /// <summary>Most threads of a block.</summary>
    MaxThreadsPerBlock = 1,

    /// <summary>Largest x size of a block.</summary>
    MaxBlockDimX = 2,

    /// <summary>Largest x size of a grid.</summary>
    MaxGridDimX = 5,

    /// <summary>Shared memory of a block in bytes, without opting in to more.</summary>
    MaxSharedMemoryPerBlock = 8,

    /// <summary>Threads of a warp.</summary>
    WarpSize = 10,

    /// <summary>Registers of a block.</summary>
    MaxRegistersPerBlock = 12,

    /// <summary>Core clock in kHz.</summary>
    ClockRate = 13,

    /// <summary>Number of multiprocessors.</summary>
    MultiprocessorCount = 16,

    /// <summary>Memory clock in kHz.</summary>
    MemoryClockRate = 36,

    /// <summary>Width of the memory bus in bits.</summary>
    GlobalMemoryBusWidth = 37,

    /// <summary>Bytes of level-2 cache.</summary>
    L2CacheSize = 38,

    /// <summary>Most threads of a multiprocessor.</summary>
    MaxThreadsPerMultiprocessor = 39,

    /// <summary>Major number of the compute capability.</summary>
    ComputeCapabilityMajor = 75,

    /// <summary>Minor number of the compute capability.</summary>
    ComputeCapabilityMinor = 76,

    /// <summary>Shared memory of a multiprocessor in bytes.</summary>
    MaxSharedMemoryPerMultiprocessor = 81,

    /// <summary>Registers of a multiprocessor.</summary>
    MaxRegistersPerMultiprocessor = 82,

    /// <summary>Shared memory of a block in bytes that a kernel can opt in to.</summary>
    MaxSharedMemoryPerBlockOptin = 97,
}

/// <summary>Kernel attributes this library reads or sets (CUDA driver API, enum CUfunction_attribute).</summary>
public enum CudaFunctionAttribute
{
    /// <summary>Most threads of a block the kernel can be launched with.</summary>
    MaxThreadsPerBlock = 0,

    /// <summary>Static shared memory in bytes.</summary>
    SharedSizeBytes = 1,

    /// <summary>Constant memory in bytes.</summary>
    ConstSizeBytes = 2,

    /// <summary>Local memory of a thread in bytes.</summary>
    LocalSizeBytes = 3,

    /// <summary>Registers of a thread.</summary>
    NumRegisters = 4,

    /// <summary>PTX version the kernel was compiled from, times ten.</summary>
    PtxVersion = 5,

    /// <summary>Architecture of the binary, times ten.</summary>
    BinaryVersion = 6,

    /// <summary>Dynamic shared memory in bytes that a launch may ask for; settable.</summary>
    MaxDynamicSharedSizeBytes = 8,
}
