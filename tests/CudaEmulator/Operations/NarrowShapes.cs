using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using CoGrpo.CudaEmulator.Compilation;
using CoGrpo.CudaEmulator.Execution;

namespace CoGrpo.CudaEmulator.Operations;

/// <summary>One element of memory that goes into a 32-bit register.</summary>
internal unsafe interface IWordElement
{
    static abstract int Size { get; }

    static abstract uint Load(byte* from);

    static abstract void Store(byte* to, uint value);
}

/// <summary>An unsigned byte.</summary>
internal readonly unsafe struct Byte8 : IWordElement
{
    public static int Size => 0;

    public static uint Load(byte* from) => *from;

    public static void Store(byte* to, uint value) => *to = (byte)value;
}

/// <summary>A signed byte into a 32-bit register.</summary>
internal readonly unsafe struct SignedByte32 : IWordElement
{
    public static int Size => 0;

    public static uint Load(byte* from) => (uint)(sbyte)*from;

    public static void Store(byte* to, uint value) => *to = (byte)value;
}

/// <summary>A signed byte into a 16-bit register, whose upper half stays zero.</summary>
internal readonly unsafe struct SignedByte16 : IWordElement
{
    public static int Size => 0;

    public static uint Load(byte* from) => (ushort)(sbyte)*from;

    public static void Store(byte* to, uint value) => *to = (byte)value;
}

/// <summary>16 bits, zero-extended.</summary>
internal readonly unsafe struct Half16 : IWordElement
{
    public static int Size => 1;

    public static uint Load(byte* from) => *(ushort*)from;

    public static void Store(byte* to, uint value) => *(ushort*)to = (ushort)value;
}

/// <summary>16 bits, sign-extended into a 32-bit register.</summary>
internal readonly unsafe struct SignedHalf16 : IWordElement
{
    public static int Size => 1;

    public static uint Load(byte* from) => (uint)*(short*)from;

    public static void Store(byte* to, uint value) => *(ushort*)to = (ushort)value;
}

/// <summary>A number of elements known when code is generated.</summary>
internal interface ICount
{
    static abstract int Log2 { get; }
}

internal readonly struct One : ICount
{
    public static int Log2 => 0;
}

internal readonly struct Two : ICount
{
    public static int Log2 => 1;
}

internal readonly struct Four : ICount
{
    public static int Log2 => 2;
}

/// <summary>One, two or four narrow elements per lane, each in a register of its own.</summary>
internal readonly unsafe struct Narrow<T, TCount> : IMemoryShape
    where T : struct, IWordElement
    where TCount : struct, ICount
{
    public static int Size => T.Size + TCount.Log2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadLane(Warp warp, Instr* at, byte* from, int lane)
    {
        for (int i = 0; i < 1 << TCount.Log2; i++)
        {
            ((uint*)(warp.R + Slot(at, i)))[lane] = T.Load(from + (i << T.Size));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreLane(Warp warp, Instr* at, byte* to, int lane)
    {
        for (int i = 0; i < 1 << TCount.Log2; i++)
        {
            T.Store(to + (i << T.Size), ((uint*)(warp.R + Slot(at, i)))[lane]);
        }
    }

    public static void LoadAll(Warp warp, Instr* at, byte* from) => LaneLoops.Load<Narrow<T, TCount>>(warp, at, from, 0, 32);

    public static void StoreAll(Warp warp, Instr* at, byte* to) => LaneLoops.Store<Narrow<T, TCount>>(warp, at, to, 0, 32);

    public static void LoadRun(Warp warp, Instr* at, byte* from, int first, int count) =>
        LaneLoops.Load<Narrow<T, TCount>>(warp, at, from, first, count);

    public static void StoreRun(Warp warp, Instr* at, byte* to, int first, int count) =>
        LaneLoops.Store<Narrow<T, TCount>>(warp, at, to, first, count);

    public static void LoadSame(Warp warp, Instr* at, byte* from, uint lanes)
    {
        for (int i = 0; i < 1 << TCount.Log2; i++)
        {
            Vector512<uint> value = Vector512.Create(T.Load(from + (i << T.Size)));
            LaneVectors.Store((uint*)(warp.R + Slot(at, i)), lanes, value, value);
        }
    }

    private static int Slot(Instr* at, int i) => i switch { 0 => at->D, 1 => at->B, 2 => at->C, _ => at->E };
}
