namespace CoGrpo.CudaEmulator;

/// <summary>What went wrong in a kernel.</summary>
public enum ViolationKind
{
    /// <summary>An access to memory that is not allocated, or beyond the allocation it belongs to.</summary>
    OutOfBounds,

    /// <summary>An access to memory that was freed.</summary>
    UseAfterFree,

    /// <summary>An access to a range that a test marked as unaddressable.</summary>
    Poisoned,

    /// <summary>A write to constant memory, to parameters or to a range that is only read.</summary>
    ReadOnly,

    /// <summary>An address that is no multiple of the size of the access.</summary>
    Misaligned,

    /// <summary>A read of bytes that nothing has written.</summary>
    Uninitialised,

    /// <summary>Two conflicting accesses that nothing orders.</summary>
    Race,

    /// <summary>An access to bytes that an asynchronous copy still has to deliver.</summary>
    AsyncCopyInFlight,

    /// <summary>A read through the read-only path of bytes that the same launch writes.</summary>
    StaleReadOnlyLoad,

    /// <summary>A barrier that not all live threads of the block reach together.</summary>
    DivergentBarrier,

    /// <summary>A warp-wide instruction without all the lanes it names or needs.</summary>
    DivergentWarp,

    /// <summary>A warp that executed more instructions than allowed.</summary>
    InstructionLimit,

    /// <summary>A device-side assertion.</summary>
    Assertion,

    /// <summary>The kernel executed a trap.</summary>
    Trap,

    /// <summary>An instruction, a modifier or an operand that the emulator does not execute.</summary>
    NotSupported,

    /// <summary>Calls nested deeper than the stack allows.</summary>
    StackOverflow,

    /// <summary>A call through a pointer that is no function, or a branch beyond its table.</summary>
    BadTarget,
}
