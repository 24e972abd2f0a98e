using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
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

/// <summary>32 bits.</summary>
internal readonly unsafe struct Word32 : IWordElement
{
    public static int Size => 2;

    public static uint Load(byte* from) => *(uint*)from;

    public static void Store(byte* to, uint value) => *(uint*)to = value;
}

/// <summary>One narrow element per lane.</summary>
internal readonly unsafe struct Narrow<T> : IMemoryShape
    where T : struct, IWordElement
{
    public static int Size => T.Size;

    public static void LoadLane(Warp warp, Instr* at, byte* from, int lane) => ((uint*)(warp.R + at->D))[lane] = T.Load(from);

    public static void StoreLane(Warp warp, Instr* at, byte* to, int lane) => T.Store(to, ((uint*)(warp.R + at->D))[lane]);

    public static void LoadAll(Warp warp, Instr* at, byte* from)
    {
        uint* to = (uint*)(warp.R + at->D);
        for (int lane = 0; lane < 32; lane++)
        {
            to[lane] = T.Load(from + (lane << T.Size));
        }
    }

    public static void StoreAll(Warp warp, Instr* at, byte* to)
    {
        uint* from = (uint*)(warp.R + at->D);
        for (int lane = 0; lane < 32; lane++)
        {
            T.Store(to + (lane << T.Size), from[lane]);
        }
    }

    public static void LoadSame(Warp warp, Instr* at, byte* from)
    {
        Vector512<uint> value = Vector512.Create(T.Load(from));
        LaneVectors.Store(warp, at->D, value, value);
    }
}

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

    public static void LoadSame(Warp warp, Instr* at, byte* from)
    {
        Vector512<uint> value = Vector512.Create(*(uint*)from);
        LaneVectors.Store(warp, at->D, value, value);
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

    public static void LoadSame(Warp warp, Instr* at, byte* from)
    {
        for (int i = 0; i < 4; i++)
        {
            LaneVectors.Store(warp, at->D, i, Vector512.Create(*(ulong*)from));
        }
    }
}

/// <summary>Two 32-bit registers per lane.</summary>
internal readonly unsafe struct TwoWords : IMemoryShape
{
    public static int Size => 3;

    public static void LoadLane(Warp warp, Instr* at, byte* from, int lane)
    {
        ((uint*)(warp.R + at->D))[lane] = *(uint*)from;
        ((uint*)(warp.R + at->B))[lane] = ((uint*)from)[1];
    }

    public static void StoreLane(Warp warp, Instr* at, byte* to, int lane)
    {
        *(uint*)to = ((uint*)(warp.R + at->D))[lane];
        ((uint*)to)[1] = ((uint*)(warp.R + at->B))[lane];
    }

    public static void LoadAll(Warp warp, Instr* at, byte* from)
    {
        if (!Avx512F.IsSupported)
        {
            for (int lane = 0; lane < 32; lane++)
            {
                LoadLane(warp, at, from + (8 * lane), lane);
            }

            return;
        }

        Vector512<uint> even = Vector512.Create(0u, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
        Vector512<uint> odd = even + Vector512<uint>.One;
        for (int half = 0; half < 2; half++)
        {
            Vector512<uint> x = Vector512.Load((uint*)from + (32 * half));
            Vector512<uint> y = Vector512.Load((uint*)from + (32 * half) + 16);
            Avx512F.PermuteVar16x32x2(x, even, y).StoreAligned((uint*)(warp.R + at->D) + (16 * half));
            Avx512F.PermuteVar16x32x2(x, odd, y).StoreAligned((uint*)(warp.R + at->B) + (16 * half));
        }
    }

    public static void StoreAll(Warp warp, Instr* at, byte* to)
    {
        uint* first = (uint*)(warp.R + at->D);
        uint* second = (uint*)(warp.R + at->B);
        for (int lane = 0; lane < 32; lane++)
        {
            ((ulong*)to)[lane] = first[lane] | ((ulong)second[lane] << 32);
        }
    }

    public static void LoadSame(Warp warp, Instr* at, byte* from)
    {
        Vector512<uint> first = Vector512.Create(*(uint*)from);
        Vector512<uint> second = Vector512.Create(((uint*)from)[1]);
        LaneVectors.Store(warp, at->D, first, first);
        LaneVectors.Store(warp, at->B, second, second);
    }
}

/// <summary>Four 32-bit registers per lane.</summary>
internal readonly unsafe struct FourWords : IMemoryShape
{
    public static int Size => 4;

    public static void LoadLane(Warp warp, Instr* at, byte* from, int lane)
    {
        byte* r = warp.R;
        ((uint*)(r + at->D))[lane] = ((uint*)from)[0];
        ((uint*)(r + at->B))[lane] = ((uint*)from)[1];
        ((uint*)(r + at->C))[lane] = ((uint*)from)[2];
        ((uint*)(r + at->E))[lane] = ((uint*)from)[3];
    }

    public static void StoreLane(Warp warp, Instr* at, byte* to, int lane)
    {
        byte* r = warp.R;
        ((uint*)to)[0] = ((uint*)(r + at->D))[lane];
        ((uint*)to)[1] = ((uint*)(r + at->B))[lane];
        ((uint*)to)[2] = ((uint*)(r + at->C))[lane];
        ((uint*)to)[3] = ((uint*)(r + at->E))[lane];
    }

    public static void LoadAll(Warp warp, Instr* at, byte* from)
    {
        if (!Avx512F.IsSupported)
        {
            for (int lane = 0; lane < 32; lane++)
            {
                LoadLane(warp, at, from + (16 * lane), lane);
            }

            return;
        }

        // Four vectors of four lanes each become four vectors of one component each: first pairs, then halves.
        Vector512<uint> firsts = Vector512.Create(0u, 4, 8, 12, 16, 20, 24, 28, 1, 5, 9, 13, 17, 21, 25, 29);
        Vector512<uint> seconds = firsts + Vector512.Create(2u);
        for (int half = 0; half < 2; half++)
        {
            uint* p = (uint*)from + (64 * half);
            Vector512<uint> v0 = Vector512.Load(p);
            Vector512<uint> v1 = Vector512.Load(p + 16);
            Vector512<uint> v2 = Vector512.Load(p + 32);
            Vector512<uint> v3 = Vector512.Load(p + 48);
            Vector512<uint> a = Avx512F.PermuteVar16x32x2(v0, firsts, v1);
            Vector512<uint> b = Avx512F.PermuteVar16x32x2(v2, firsts, v3);
            Vector512<uint> c = Avx512F.PermuteVar16x32x2(v0, seconds, v1);
            Vector512<uint> d = Avx512F.PermuteVar16x32x2(v2, seconds, v3);
            Vector512.Create(a.GetLower(), b.GetLower()).StoreAligned((uint*)(warp.R + at->D) + (16 * half));
            Vector512.Create(a.GetUpper(), b.GetUpper()).StoreAligned((uint*)(warp.R + at->B) + (16 * half));
            Vector512.Create(c.GetLower(), d.GetLower()).StoreAligned((uint*)(warp.R + at->C) + (16 * half));
            Vector512.Create(c.GetUpper(), d.GetUpper()).StoreAligned((uint*)(warp.R + at->E) + (16 * half));
        }
    }

    public static void StoreAll(Warp warp, Instr* at, byte* to)
    {
        uint* a = (uint*)(warp.R + at->D);
        uint* b = (uint*)(warp.R + at->B);
        uint* c = (uint*)(warp.R + at->C);
        uint* d = (uint*)(warp.R + at->E);
        for (int lane = 0; lane < 32; lane++)
        {
            Vector128.Create(a[lane], b[lane], c[lane], d[lane]).Store((uint*)to + (4 * lane));
        }
    }

    public static void LoadSame(Warp warp, Instr* at, byte* from)
    {
        Set(warp, at->D, ((uint*)from)[0]);
        Set(warp, at->B, ((uint*)from)[1]);
        Set(warp, at->C, ((uint*)from)[2]);
        Set(warp, at->E, ((uint*)from)[3]);
    }

    private static void Set(Warp warp, int slot, uint value)
    {
        Vector512<uint> all = Vector512.Create(value);
        LaneVectors.Store(warp, slot, all, all);
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

    public static void LoadAll(Warp warp, Instr* at, byte* from)
    {
        for (int lane = 0; lane < 32; lane++)
        {
            LoadLane(warp, at, from + (16 * lane), lane);
        }
    }

    public static void StoreAll(Warp warp, Instr* at, byte* to)
    {
        for (int lane = 0; lane < 32; lane++)
        {
            StoreLane(warp, at, to + (16 * lane), lane);
        }
    }

    public static void LoadSame(Warp warp, Instr* at, byte* from)
    {
        for (int i = 0; i < 4; i++)
        {
            LaneVectors.Store(warp, at->D, i, Vector512.Create(*(ulong*)from));
            LaneVectors.Store(warp, at->B, i, Vector512.Create(((ulong*)from)[1]));
        }
    }
}

/// <summary>Two or four narrow elements per lane, each in a register of its own.</summary>
internal readonly unsafe struct NarrowVector<T, TCount> : IMemoryShape
    where T : struct, IWordElement
    where TCount : struct, ICount
{
    public static int Size => T.Size + TCount.Log2;

    public static void LoadLane(Warp warp, Instr* at, byte* from, int lane)
    {
        for (int i = 0; i < 1 << TCount.Log2; i++)
        {
            ((uint*)(warp.R + Slot(at, i)))[lane] = T.Load(from + (i << T.Size));
        }
    }

    public static void StoreLane(Warp warp, Instr* at, byte* to, int lane)
    {
        for (int i = 0; i < 1 << TCount.Log2; i++)
        {
            T.Store(to + (i << T.Size), ((uint*)(warp.R + Slot(at, i)))[lane]);
        }
    }

    public static void LoadAll(Warp warp, Instr* at, byte* from)
    {
        for (int lane = 0; lane < 32; lane++)
        {
            LoadLane(warp, at, from + (lane << Size), lane);
        }
    }

    public static void StoreAll(Warp warp, Instr* at, byte* to)
    {
        for (int lane = 0; lane < 32; lane++)
        {
            StoreLane(warp, at, to + (lane << Size), lane);
        }
    }

    public static void LoadSame(Warp warp, Instr* at, byte* from)
    {
        for (int i = 0; i < 1 << TCount.Log2; i++)
        {
            Vector512<uint> value = Vector512.Create(T.Load(from + (i << T.Size)));
            LaneVectors.Store(warp, Slot(at, i), value, value);
        }
    }

    private static int Slot(Instr* at, int i) => i switch { 0 => at->D, 1 => at->B, 2 => at->C, _ => at->E };
}

/// <summary>A number of elements known when code is generated.</summary>
internal interface ICount
{
    static abstract int Log2 { get; }
}

internal readonly struct Two : ICount
{
    public static int Log2 => 1;
}

internal readonly struct Four : ICount
{
    public static int Log2 => 2;
}
