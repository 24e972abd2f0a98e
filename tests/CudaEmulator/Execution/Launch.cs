using System.Runtime.InteropServices;
using CoGrpo.CudaEmulator.Checks;
using CoGrpo.CudaEmulator.Compilation;
using CoGrpo.CudaEmulator.Memory;
using CoGrpo.Runtime.Cuda;

namespace CoGrpo.CudaEmulator.Execution;

/// <summary>One kernel launch: its sizes and arguments, the blocks still to be started, the first violation.</summary>
internal sealed unsafe class Launch : IDisposable
{
    private long _next;
    private Violation? _violation;

    public required KernelCode Code { get; init; }

    public required Dim3 GridSize { get; init; }

    public required Dim3 BlockSize { get; init; }

    public required int DynamicShared { get; init; }

    /// <summary>The kernel's parameters, in native memory owned by the launch.</summary>
    public required byte* Parameters { get; init; }

    public required EmulatorOptions Options { get; init; }

    public required AddressSpace Memory { get; init; }

    /// <summary>Number of the launch in its context, from 1: the epoch of race cells in global memory.</summary>
    public required uint Number { get; init; }

    public required int Multiprocessors { get; init; }

    /// <summary>Most blocks that are under way at once, all workers together; all of them for a cooperative launch.</summary>
    public required long ResidentBlocks { get; init; }

    public required CellFormat GlobalFormat { get; init; }

    public required CellFormat SharedFormat { get; init; }

    /// <summary>Order between blocks made by fences; null where the code has none.</summary>
    public required BlockOrderings? Orderings { get; init; }

    public int ThreadsPerBlock => (int)BlockSize.Count;

    public int WarpsPerBlock => (ThreadsPerBlock + 31) / 32;

    public int SharedBytes =>
        DynamicShared > 0 || Code.DynamicSharedOffset > Code.SharedBytes ? Code.DynamicSharedOffset + DynamicShared : Code.SharedBytes;

    public bool ChecksRaces => Options.Checks.HasFlag(EmulatorCheck.Races);

    /// <summary>The first violation found, or null.</summary>
    public Violation? Violation => _violation;

    /// <summary>Whether the launch is to end because of a violation.</summary>
    public bool IsStopped => Volatile.Read(ref _violation) is not null;

    /// <summary>Takes the next block; false when all are taken.</summary>
    public bool TryTake(out long block)
    {
        block = Interlocked.Increment(ref _next) - 1;
        return block < GridSize.Count && !IsStopped;
    }

    /// <summary>Ends the launch; the first violation counts.</summary>
    public void Stop(Violation violation) => Interlocked.CompareExchange(ref _violation, violation, null);

    public Dim3 BlockIndex(long number) =>
        new((uint)(number % GridSize.X), (uint)(number / GridSize.X % GridSize.Y), (uint)(number / GridSize.X / GridSize.Y));

    public void Dispose()
    {
        NativeMemory.AlignedFree(Parameters);
    }
}
