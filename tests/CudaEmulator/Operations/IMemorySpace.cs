using System.Numerics;
using System.Runtime.CompilerServices;
using CoGrpo.CudaEmulator.Checks;
using CoGrpo.CudaEmulator.Compilation;
using CoGrpo.CudaEmulator.Execution;
using CoGrpo.CudaEmulator.Memory;

namespace CoGrpo.CudaEmulator.Operations;

/// <summary>What differs between accesses to the spaces of memory.</summary>
internal unsafe interface IMemorySpace
{
    static abstract Region* Find(Warp warp, Instr* at, ulong address);

    /// <summary>Cell field of a lane, relative to lane 0.</summary>
    static abstract uint LaneField(Warp warp, int lane);

    static abstract bool ReadRun(Warp warp, Instr* at, Region* region, ulong offset, uint bytes, int size, uint self);

    static abstract bool WriteRun(Warp warp, Instr* at, Region* region, ulong offset, uint bytes, int size, uint self);

    static abstract bool ReadOne(Warp warp, Instr* at, Region* region, ulong offset, int size, uint self);

    static abstract bool WriteOne(Warp warp, Instr* at, Region* region, ulong offset, int size, uint self);

    static abstract byte* ReadLane(Warp warp, Instr* at, int lane, ulong address, int size);

    static abstract byte* WriteLane(Warp warp, Instr* at, int lane, ulong address, int size, byte* value);

    /// <summary>Called when a strong read has its value.</summary>
    static abstract void HasLooked(Warp warp, ulong address);

    static abstract void CountRun(Warp warp, Region* region, ulong start, uint bytes, bool write);

    static abstract void CountLanes(Warp warp, Instr* at, ulong* addresses, uint lanes, int bytes, bool write);
}

/// <summary>Global memory.</summary>
internal readonly unsafe struct GlobalSpace : IMemorySpace
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Region* Find(Warp warp, Instr* at, ulong address) => GlobalAccess.Find(warp, at, address);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint LaneField(Warp warp, int lane) => (uint)lane << CellFormat.LaneShift;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool ReadRun(Warp warp, Instr* at, Region* region, ulong offset, uint bytes, int size, uint self) =>
        GlobalAccess.ReadRun(warp, at, region, offset, bytes, size, self);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool WriteRun(Warp warp, Instr* at, Region* region, ulong offset, uint bytes, int size, uint self) =>
        GlobalAccess.WriteRun(warp, at, region, offset, bytes, size, self);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool ReadOne(Warp warp, Instr* at, Region* region, ulong offset, int size, uint self) =>
        GlobalAccess.ReadOne(warp, at, region, offset, size, self);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool WriteOne(Warp warp, Instr* at, Region* region, ulong offset, int size, uint self) =>
        GlobalAccess.WriteOne(warp, at, region, offset, size, self);

    public static byte* ReadLane(Warp warp, Instr* at, int lane, ulong address, int size) => GlobalAccess.ReadLane(warp, at, lane, address, size);

    public static byte* WriteLane(Warp warp, Instr* at, int lane, ulong address, int size, byte* value) =>
        GlobalAccess.WriteLane(warp, at, lane, address, size, value);

    public static void HasLooked(Warp warp, ulong address) => Ordering.Look(warp, address);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void CountRun(Warp warp, Region* region, ulong start, uint bytes, bool write) =>
        MemoryCounters.GlobalRun(warp, region, start, start - region->Start, bytes, write);

    public static void CountLanes(Warp warp, Instr* at, ulong* addresses, uint lanes, int bytes, bool write)
    {
        MemoryCounters.GlobalLanes(warp, addresses, lanes, bytes, write);
        if (warp.Launch.Options.CountUniqueSectors)
        {
            for (uint rest = lanes; rest != 0; rest &= rest - 1)
            {
                ulong address = addresses[BitOperations.TrailingZeroCount(rest)];
                Region* region = Find(warp, at, address);
                MemoryCounters.Touch(write ? region->SectorsWritten : region->SectorsRead, address - region->Start, (uint)bytes);
            }
        }
    }
}

/// <summary>Shared memory of the block.</summary>
internal readonly unsafe struct SharedSpace : IMemorySpace
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Region* Find(Warp warp, Instr* at, ulong address) => warp.Block.Shared;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint LaneField(Warp warp, int lane) => (uint)lane << CellFormat.LaneShift;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool ReadRun(Warp warp, Instr* at, Region* region, ulong offset, uint bytes, int size, uint self) =>
        SharedAccess.ReadRun(warp, at, region, offset, bytes, size, self);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool WriteRun(Warp warp, Instr* at, Region* region, ulong offset, uint bytes, int size, uint self) =>
        SharedAccess.WriteRun(warp, at, region, offset, bytes, size, self);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool ReadOne(Warp warp, Instr* at, Region* region, ulong offset, int size, uint self) =>
        SharedAccess.ReadOne(warp, at, region, offset, size, self);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool WriteOne(Warp warp, Instr* at, Region* region, ulong offset, int size, uint self) =>
        SharedAccess.WriteOne(warp, at, region, offset, size, self);

    public static byte* ReadLane(Warp warp, Instr* at, int lane, ulong address, int size) => SharedAccess.ReadLane(warp, at, lane, address, size);

    public static byte* WriteLane(Warp warp, Instr* at, int lane, ulong address, int size, byte* value) =>
        SharedAccess.WriteLane(warp, at, lane, address, size, value);

    public static void HasLooked(Warp warp, ulong address) => Ordering.LookShared(warp, address);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void CountRun(Warp warp, Region* region, ulong start, uint bytes, bool write) => MemoryCounters.SharedRun(warp, bytes, write);

    public static void CountLanes(Warp warp, Instr* at, ulong* addresses, uint lanes, int bytes, bool write) =>
        MemoryCounters.Shared(warp, addresses, lanes, bytes, write);
}
