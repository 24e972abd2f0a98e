using System.Runtime.CompilerServices;
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

    /// <summary>Some neighbouring lanes from adjacent memory.</summary>
    static abstract void LoadRun(Warp warp, Instr* at, byte* from, int first, int count);

    static abstract void StoreRun(Warp warp, Instr* at, byte* to, int first, int count);

    /// <summary>The same bytes to some lanes.</summary>
    static abstract void LoadSame(Warp warp, Instr* at, byte* from, uint lanes);
}

/// <summary>Accesses of many lanes one by one, for shapes that have nothing faster.</summary>
internal static unsafe class LaneLoops
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Load<T>(Warp warp, Instr* at, byte* from, int first, int count)
        where T : struct, IMemoryShape
    {
        for (int lane = first; lane < first + count; lane++)
        {
            T.LoadLane(warp, at, from, lane);
            from += 1 << T.Size;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<T>(Warp warp, Instr* at, byte* to, int first, int count)
        where T : struct, IMemoryShape
    {
        for (int lane = first; lane < first + count; lane++)
        {
            T.StoreLane(warp, at, to, lane);
            to += 1 << T.Size;
        }
    }
}
