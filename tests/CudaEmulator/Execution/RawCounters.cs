namespace CoGrpo.CudaEmulator.Execution;

/// <summary>What handlers count as they go; the rest follows from how often each basic block ran. One per worker, in native memory.</summary>
internal struct RawCounters
{
    public const int Fields = 18;

    public long GlobalSectorsRead;
    public long GlobalSectorsWritten;
    public long GlobalBytesRead;
    public long GlobalBytesWritten;
    public long IdealSectorsRead;
    public long IdealSectorsWritten;
    public long GlobalRequests;
    public long SharedBytesRead;
    public long SharedBytesWritten;
    public long SharedWavefronts;
    public long BankConflicts;
    public long LocalAccesses;
    public long DivergentBranches;
    public long Atomics;
    public long TensorOperations;
    public long TensorFlops;
    public long Barriers;
    public long AsyncCopyBytes;
}
