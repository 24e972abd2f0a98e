using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using CoGrpo.CudaEmulator.Compilation;
using CoGrpo.CudaEmulator.Execution;

namespace CoGrpo.CudaEmulator.Operations;

/// <summary>Two 32-bit registers per lane.</summary>
internal readonly unsafe struct TwoWords : IMemoryShape
{
    public static int Size => 3;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadLane(Warp warp, Instr* at, byte* from, int lane)
    {
        ((uint*)(warp.R + at->D))[lane] = *(uint*)from;
        ((uint*)(warp.R + at->B))[lane] = ((uint*)from)[1];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreLane(Warp warp, Instr* at, byte* to, int lane)
    {
        *(uint*)to = ((uint*)(warp.R + at->D))[lane];
        ((uint*)to)[1] = ((uint*)(warp.R + at->B))[lane];
    }

    public static void LoadAll(Warp warp, Instr* at, byte* from)
    {
        if (!Avx512F.IsSupported)
        {
            LaneLoops.Load<TwoWords>(warp, at, from, 0, 32);
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
        if (!Avx512F.IsSupported)
        {
            LaneLoops.Store<TwoWords>(warp, at, to, 0, 32);
            return;
        }

        Vector512<uint> first = Vector512.Create(0u, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
        Vector512<uint> second = first + Vector512.Create(8u);
        for (int half = 0; half < 2; half++)
        {
            Vector512<uint> x = Vector512.LoadAligned((uint*)(warp.R + at->D) + (16 * half));
            Vector512<uint> y = Vector512.LoadAligned((uint*)(warp.R + at->B) + (16 * half));
            Avx512F.PermuteVar16x32x2(x, first, y).Store((uint*)to + (32 * half));
            Avx512F.PermuteVar16x32x2(x, second, y).Store((uint*)to + (32 * half) + 16);
        }
    }

    public static void LoadRun(Warp warp, Instr* at, byte* from, int first, int count) => LaneLoops.Load<TwoWords>(warp, at, from, first, count);

    public static void StoreRun(Warp warp, Instr* at, byte* to, int first, int count) => LaneLoops.Store<TwoWords>(warp, at, to, first, count);

    public static void LoadSame(Warp warp, Instr* at, byte* from, uint lanes)
    {
        Vector512<uint> first = Vector512.Create(*(uint*)from);
        Vector512<uint> second = Vector512.Create(((uint*)from)[1]);
        LaneVectors.Store((uint*)(warp.R + at->D), lanes, first, first);
        LaneVectors.Store((uint*)(warp.R + at->B), lanes, second, second);
    }
}

/// <summary>Four 32-bit registers per lane.</summary>
internal readonly unsafe struct FourWords : IMemoryShape
{
    public static int Size => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadLane(Warp warp, Instr* at, byte* from, int lane)
    {
        byte* r = warp.R;
        ((uint*)(r + at->D))[lane] = ((uint*)from)[0];
        ((uint*)(r + at->B))[lane] = ((uint*)from)[1];
        ((uint*)(r + at->C))[lane] = ((uint*)from)[2];
        ((uint*)(r + at->E))[lane] = ((uint*)from)[3];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
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
            LaneLoops.Load<FourWords>(warp, at, from, 0, 32);
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
        if (!Avx512F.IsSupported)
        {
            LaneLoops.Store<FourWords>(warp, at, to, 0, 32);
            return;
        }

        // Pairs of components first, then pairs of pairs.
        Vector512<uint> low = Vector512.Create(0u, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
        Vector512<uint> high = low + Vector512.Create(8u);
        Vector512<ulong> first = Vector512.Create(0UL, 8, 1, 9, 2, 10, 3, 11);
        Vector512<ulong> second = first + Vector512.Create(4UL);
        for (int half = 0; half < 2; half++)
        {
            Vector512<uint> a = Vector512.LoadAligned((uint*)(warp.R + at->D) + (16 * half));
            Vector512<uint> b = Vector512.LoadAligned((uint*)(warp.R + at->B) + (16 * half));
            Vector512<uint> c = Vector512.LoadAligned((uint*)(warp.R + at->C) + (16 * half));
            Vector512<uint> d = Vector512.LoadAligned((uint*)(warp.R + at->E) + (16 * half));
            Vector512<ulong> ab0 = Avx512F.PermuteVar16x32x2(a, low, b).AsUInt64();
            Vector512<ulong> ab1 = Avx512F.PermuteVar16x32x2(a, high, b).AsUInt64();
            Vector512<ulong> cd0 = Avx512F.PermuteVar16x32x2(c, low, d).AsUInt64();
            Vector512<ulong> cd1 = Avx512F.PermuteVar16x32x2(c, high, d).AsUInt64();
            ulong* p = (ulong*)to + (32 * half);
            Avx512F.PermuteVar8x64x2(ab0, first, cd0).Store(p);
            Avx512F.PermuteVar8x64x2(ab0, second, cd0).Store(p + 8);
            Avx512F.PermuteVar8x64x2(ab1, first, cd1).Store(p + 16);
            Avx512F.PermuteVar8x64x2(ab1, second, cd1).Store(p + 24);
        }
    }

    public static void LoadRun(Warp warp, Instr* at, byte* from, int first, int count) => LaneLoops.Load<FourWords>(warp, at, from, first, count);

    public static void StoreRun(Warp warp, Instr* at, byte* to, int first, int count) => LaneLoops.Store<FourWords>(warp, at, to, first, count);

    public static void LoadSame(Warp warp, Instr* at, byte* from, uint lanes)
    {
        Set(warp, at->D, ((uint*)from)[0], lanes);
        Set(warp, at->B, ((uint*)from)[1], lanes);
        Set(warp, at->C, ((uint*)from)[2], lanes);
        Set(warp, at->E, ((uint*)from)[3], lanes);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Set(Warp warp, int slot, uint value, uint lanes)
    {
        Vector512<uint> all = Vector512.Create(value);
        LaneVectors.Store((uint*)(warp.R + slot), lanes, all, all);
    }
}
