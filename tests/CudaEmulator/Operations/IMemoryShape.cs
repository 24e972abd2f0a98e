using CoGrpo.CudaEmulator.Compilation;
using CoGrpo.CudaEmulator.Execution;

namespace CoGrpo.CudaEmulator.Operations;

/// <summary>
/// How the bytes of a memory access lie in registers. Values stand in the slots D, B, C, E of the instruction, the address in A.
/// </summary>
internal unsafe interface IMemoryShape
{
    /// <summary>log2 of the bytes that a lane accesses.</summary>
    static abstract int Size { get; }

    static abstract void LoadLane(Warp warp, Instr* at, byte* from, int lane);

    static abstract void StoreLane(Warp warp, Instr* at, byte* to, int lane);

    /// <summary>All 32 lanes from adjacent memory.</summary>
    static abstract void LoadAll(Warp warp, Instr* at, byte* from);

    static abstract void StoreAll(Warp warp, Instr* at, byte* to);

    /// <summary>The same bytes to all lanes whose registers may be written.</summary>
    static abstract void LoadSame(Warp warp, Instr* at, byte* from);
}
