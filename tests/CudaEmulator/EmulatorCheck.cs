namespace CoGrpo.CudaEmulator;

/// <summary>What the emulated device looks for while kernels run.</summary>
[Flags]
public enum EmulatorCheck
{
    /// <summary>Nothing beyond what is needed to execute: an access outside all memory is still an error.</summary>
    None = 0,

    /// <summary>Reads of global, shared and local memory that nothing has written, byte by byte.</summary>
    Uninitialised = 1,

    /// <summary>Conflicting accesses that nothing orders: in shared memory, in global memory within a block, between blocks of a launch.</summary>
    Races = 2,

    /// <summary>Addresses that are no multiple of the size of the access.</summary>
    Alignment = 4,

    /// <summary>Barriers that not all live threads of a block reach together, and warp-wide instructions without the lanes they name.</summary>
    Divergence = 8,

    /// <summary>Memory, modules, streams, events and graphs that are left when a context ends.</summary>
    Leaks = 16,

    /// <summary>Everything.</summary>
    All = Uninitialised | Races | Alignment | Divergence | Leaks,
}
