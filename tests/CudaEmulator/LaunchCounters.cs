namespace CoGrpo.CudaEmulator;

/// <summary>What a launch, or one line of it, did. Sectors are the 32-byte pieces in which global memory is moved.</summary>
public sealed record LaunchCounters
{
    /// <summary>Warp instructions; of one line only those that access memory or multiply matrices.</summary>
    public long WarpInstructions { get; init; }

    /// <summary>Instructions summed over active threads.</summary>
    public long ThreadInstructions { get; init; }

    /// <summary>Sectors read: for every warp access the different ones it touches. Caches are not modelled.</summary>
    public long GlobalSectorsRead { get; init; }

    /// <summary>Sectors written.</summary>
    public long GlobalSectorsWritten { get; init; }

    /// <summary>Fewest sectors that could hold what each warp access reads, if it were adjacent and aligned.</summary>
    public long IdealSectorsRead { get; init; }

    /// <summary>Fewest sectors that could hold what each warp access writes.</summary>
    public long IdealSectorsWritten { get; init; }

    /// <summary>Bytes that threads asked to read, counted once per thread.</summary>
    public long GlobalBytesRead { get; init; }

    /// <summary>Bytes that threads asked to write.</summary>
    public long GlobalBytesWritten { get; init; }

    /// <summary>Warp accesses to global memory.</summary>
    public long GlobalRequests { get; init; }

    /// <summary>Bytes that threads read from shared memory.</summary>
    public long SharedBytesRead { get; init; }

    /// <summary>Bytes that threads wrote to shared memory.</summary>
    public long SharedBytesWritten { get; init; }

    /// <summary>Passes that shared accesses took.</summary>
    public long SharedWavefronts { get; init; }

    /// <summary>Passes beyond those that the size of the accesses needs: lanes wanted different words of one bank.</summary>
    public long BankConflicts { get; init; }

    /// <summary>Warp accesses to local memory: spilled registers and arrays indexed at run time.</summary>
    public long LocalAccesses { get; init; }

    /// <summary>Branches at which the lanes of a warp separated.</summary>
    public long DivergentBranches { get; init; }

    /// <summary>Atomic operations, one per thread.</summary>
    public long Atomics { get; init; }

    /// <summary>Matrix multiply-add instructions.</summary>
    public long TensorOperations { get; init; }

    /// <summary>Operations in them, a multiply-add counting two.</summary>
    public long TensorFlops { get; init; }

    /// <summary>Arrivals of warps at barriers of the block.</summary>
    public long Barriers { get; init; }

    /// <summary>Bytes copied asynchronously to shared memory.</summary>
    public long AsyncCopyBytes { get; init; }
}
