using CoGrpo.Runtime.Cuda;

namespace CoGrpo.CudaEmulator.Compilation;

/// <summary>Where a thread stands: what special registers tell it.</summary>
internal readonly record struct ThreadPlace(
    Dim3 Thread,
    Dim3 Block,
    Dim3 BlockSize,
    Dim3 GridSize,
    uint Lane,
    uint Warp,
    uint Warps,
    uint Multiprocessor,
    uint Multiprocessors,
    uint DynamicShared,
    uint TotalShared,
    ulong Grid
);
