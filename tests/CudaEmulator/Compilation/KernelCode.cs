using System.Runtime.InteropServices;
using CoGrpo.CudaEmulator.Ptx;

namespace CoGrpo.CudaEmulator.Compilation;

/// <summary>A kernel and all it calls, decoded for execution in one context.</summary>
internal sealed unsafe class KernelCode : IDisposable
{
    /// <summary>Address of the first function for calls through pointers; the others follow at this distance.</summary>
    public const ulong FunctionAddress = 1UL << 44;

    public const ulong FunctionDistance = 16;

    public required string Name { get; init; }

    public required PtxModule Module { get; init; }

    /// <summary>All code, blocks one after the other.</summary>
    public required Instr* First { get; init; }

    public required int Count { get; init; }

    /// <summary>The PTX instruction behind each decoded one; null for the heads of blocks and inserted jumps.</summary>
    public required PtxInstruction?[] Origins { get; init; }

    public required FunctionCode Entry { get; init; }

    /// <summary>Functions that can be called through a pointer, by number.</summary>
    public required IReadOnlyList<FunctionCode?> Callable { get; init; }

    /// <summary>Instructions of each class in each basic block.</summary>
    public required int[][] Mix { get; init; }

    public required long ParameterBytes { get; init; }

    /// <summary>Static shared memory of a block.</summary>
    public required int SharedBytes { get; init; }

    /// <summary>Where dynamic shared memory begins.</summary>
    public required int DynamicSharedOffset { get; init; }

    /// <summary>Static shared variables with their offsets, for reports.</summary>
    public required IReadOnlyList<(int Offset, PtxVariable Variable)> SharedVariables { get; init; }

    /// <summary>Number of memory instructions, each of which remembers the region it used last.</summary>
    public required int CacheEntries { get; init; }

    /// <summary>Whether threads may wait for other blocks: the code reads global memory by strong accesses or atomics.</summary>
    public required bool MayWait { get; init; }

    /// <summary>Whether the code has fences or accesses that order others: release and acquire patterns are looked for only there.</summary>
    public required bool HasFences { get; init; }

    public required bool HasCalls { get; init; }

    /// <summary>Objects that instructions refer to by number.</summary>
    public required IReadOnlyList<object> Objects { get; init; }

    /// <summary>Registers of a thread, estimated from what is live at once.</summary>
    public required int Registers { get; init; }

    /// <summary>The handlers behind those that count by line, by position; null in code that does not.</summary>
    public nint[]? Handlers { get; private set; }

    /// <summary>Puts counting before the handlers of instructions that access memory or multiply matrices.</summary>
    public void CountLines()
    {
        if (Handlers is not null)
        {
            return;
        }

        Handlers = new nint[Count];
        for (int i = 0; i < Count; i++)
        {
            bool first = Origins[i] is not null && (i == 0 || Origins[i - 1] != Origins[i]);
            if (
                first
                && Classification.Of(Origins[i]!)
                    is InstructionClass.Global
                        or InstructionClass.Shared
                        or InstructionClass.Local
                        or InstructionClass.Atomic
                        or InstructionClass.AsyncCopy
                        or InstructionClass.Tensor
            )
            {
                Handlers[i] = (nint)First[i].Handler;
                First[i].Handler = &Operations.LineCounting.Run;
            }
        }
    }

    /// <summary>The PTX instruction at or before a place in the code, or null.</summary>
    public PtxInstruction? OriginOf(Instr* at)
    {
        long i = at - First;
        if (i < 0 || i >= Count)
        {
            return null;
        }

        // The head of a block stands for what follows it.
        return Origins[i] ?? (i + 1 < Count ? Origins[i + 1] : null);
    }

    public string PlaceOf(Instr* at) => Module.Describe(OriginOf(at)?.Source);

    public void Dispose() => NativeMemory.AlignedFree(First);
}
