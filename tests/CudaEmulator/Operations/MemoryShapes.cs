using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using CoGrpo.CudaEmulator.Compilation;
using CoGrpo.CudaEmulator.Execution;

namespace CoGrpo.CudaEmulator.Operations;

/// <summary>32 bits per lane.</summary>
internal readonly unsafe struct Word : IMemoryShape
{
    public static int Size => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadLane(Warp warp, Instr* at, byte* from, int lane) => ((uint*)(warp.R + at->D))[lane] = *(uint*)from;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreLane(Warp warp, Instr* at, byte* to, int lane) => *(uint*)to = ((uint*)(warp.R + at->D))[lane];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadAll(Warp warp, Instr* at, byte* from)
    {
        uint* to = (uint*)(warp.R + at->D);
        Vector512.Load((uint*)from).StoreAligned(to);
        Vector512.Load((uint*)from + 16).StoreAligned(to + 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreAll(Warp warp, Instr* at, byte* to)
    {
        byte* from = warp.R + at->D;
        LaneVectors.Low(from).Store((uint*)to);
        LaneVectors.High(from).Store((uint*)to + 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadRun(Warp warp, Instr* at, byte* from, int first, int count) =>
        Unsafe.CopyBlockUnaligned(warp.R + at->D + (4 * first), from, 4 * (uint)count);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreRun(Warp warp, Instr* at, byte* to, int first, int count) =>
        Unsafe.CopyBlockUnaligned(to, warp.R + at->D + (4 * first), 4 * (uint)count);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadSame(Warp warp, Instr* at, byte* from, uint lanes)
    {
        Vector512<uint> value = Vector512.Create(*(uint*)from);
        LaneVectors.Store((uint*)(warp.R + at->D), lanes, value, value);
    }
}

/// <summary>64 bits per lane.</summary>
internal readonly unsafe struct DoubleWord : IMemoryShape
{
    public static int Size => 3;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadLane(Warp warp, Instr* at, byte* from, int lane) => ((ulong*)(warp.D + at->D))[lane] = *(ulong*)from;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreLane(Warp warp, Instr* at, byte* to, int lane) => *(ulong*)to = ((ulong*)(warp.D + at->D))[lane];

    public static void LoadAll(Warp warp, Instr* at, byte* from)
    {
        ulong* to = (ulong*)(warp.D + at->D);
        for (int i = 0; i < 32; i += 8)
        {
            Vector512.Load((ulong*)from + i).StoreAligned(to + i);
        }
    }

    public static void StoreAll(Warp warp, Instr* at, byte* to)
    {
        for (int i = 0; i < 4; i++)
        {
            LaneVectors.Quarter(warp.D + at->D, i).Store((ulong*)to + (8 * i));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadRun(Warp warp, Instr* at, byte* from, int first, int count) =>
        Unsafe.CopyBlockUnaligned(warp.D + at->D + (8 * first), from, 8 * (uint)count);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreRun(Warp warp, Instr* at, byte* to, int first, int count) =>
        Unsafe.CopyBlockUnaligned(to, warp.D + at->D + (8 * first), 8 * (uint)count);

    public static void LoadSame(Warp warp, Instr* at, byte* from, uint lanes)
    {
        for (int i = 0; i < 4; i++)
        {
            LaneVectors.Store((ulong*)(warp.D + at->D), lanes, i, Vector512.Create(*(ulong*)from));
        }
    }
}

/// <summary>Two 64-bit registers per lane.</summary>
internal readonly unsafe struct TwoDoubleWords : IMemoryShape
{
    public static int Size => 4;

    public static void LoadLane(Warp warp, Instr* at, byte* from, int lane)
    {
        ((ulong*)(warp.D + at->D))[lane] = *(ulong*)from;
        ((ulong*)(warp.D + at->B))[lane] = ((ulong*)from)[1];
    }

    public static void StoreLane(Warp warp, Instr* at, byte* to, int lane)
    {
        *(ulong*)to = ((ulong*)(warp.D + at->D))[lane];
        ((ulong*)to)[1] = ((ulong*)(warp.D + at->B))[lane];
    }

    public static void LoadAll(Warp warp, Instr* at, byte* from) => LaneLoops.Load<TwoDoubleWords>(warp, at, from, 0, 32);

    public static void StoreAll(Warp warp, Instr* at, byte* to) => LaneLoops.Store<TwoDoubleWords>(warp, at, to, 0, 32);

    public static void LoadRun(Warp warp, Instr* at, byte* from, int first, int count) =>
        LaneLoops.Load<TwoDoubleWords>(warp, at, from, first, count);

    public static void StoreRun(Warp warp, Instr* at, byte* to, int first, int count) => LaneLoops.Store<TwoDoubleWords>(warp, at, to, first, count);

    public static void LoadSame(Warp warp, Instr* at, byte* from, uint lanes)
    {
        for (int i = 0; i < 4; i++)
        {
            LaneVectors.Store((ulong*)(warp.D + at->D), lanes, i, Vector512.Create(*(ulong*)from));
            LaneVectors.Store((ulong*)(warp.D + at->B), lanes, i, Vector512.Create(((ulong*)from)[1]));
        }
    }
}
