using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using CoGrpo.CudaEmulator.Compilation;
using CoGrpo.CudaEmulator.Execution;

namespace CoGrpo.CudaEmulator.Operations;

/// <summary>Bit operations with four operands or a mode.</summary>
internal static unsafe class BitHandlers
{
    /// <summary>lop3: any function of three bits, its table in Value.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* Lop3(Warp warp, Instr* at)
    {
        byte* a = warp.R + at->A;
        byte* b = warp.R + at->B;
        byte* c = warp.R + at->C;
        LaneVectors.Store(warp, at->D,
            Logic(LaneVectors.Low(a), LaneVectors.Low(b), LaneVectors.Low(c), (int)at->Value),
            Logic(LaneVectors.High(a), LaneVectors.High(b), LaneVectors.High(c), (int)at->Value));
        return at + 1;
    }

    /// <summary>bfi: the low C bits of A put into B at bit E... operands A, B, C (position), E (length).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* Insert<TBank>(Warp warp, Instr* at)
        where TBank : struct, IBank
    {
        byte* d = TBank.Slot(warp, at->D);
        byte* a = TBank.Slot(warp, at->A);
        byte* b = TBank.Slot(warp, at->B);
        uint* position = (uint*)(warp.R + at->C);
        uint* length = (uint*)(warp.R + at->E);
        for (uint rest = warp.Mask; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            int start = (int)(position[lane] & 255);
            int count = (int)(length[lane] & 255);
            ulong mask = start > 63 ? 0 : (count > 63 ? ulong.MaxValue : (1UL << count) - 1) << start;
            ulong moved = start > 63 ? 0 : TBank.Load(a, lane) << start;
            TBank.Store(d, lane, (TBank.Load(b, lane) & ~mask) | (moved & mask));
        }

        return at + 1;
    }

    /// <summary>prmt: bytes of A and B picked by C; Extra is the mode.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* Permute(Warp warp, Instr* at)
    {
        uint* d = (uint*)(warp.R + at->D);
        uint* a = (uint*)(warp.R + at->A);
        uint* b = (uint*)(warp.R + at->B);
        uint* c = (uint*)(warp.R + at->C);
        for (uint rest = warp.Mask; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            ulong bytes = a[lane] | ((ulong)b[lane] << 32);
            uint selector = at->Extra == 0 ? c[lane] : Selector(at->Extra, c[lane] & 3);
            uint result = 0;
            for (int i = 0; i < 4; i++)
            {
                uint pick = selector >> (4 * i);
                byte value = (byte)(bytes >> (8 * (int)(pick & 7)));
                result |= (uint)((pick & 8) != 0 ? (byte)((sbyte)value >> 7) : value) << (8 * i);
            }

            d[lane] = result;
        }

        return at + 1;
    }

    /// <summary>shf: the 64 bits B:A shifted by C; Extra bit 0: right, bit 1: the count wraps at 32 instead of stopping there.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* Funnel(Warp warp, Instr* at)
    {
        uint* d = (uint*)(warp.R + at->D);
        uint* a = (uint*)(warp.R + at->A);
        uint* b = (uint*)(warp.R + at->B);
        uint* c = (uint*)(warp.R + at->C);
        bool right = (at->Extra & 1) != 0;
        bool wraps = (at->Extra & 2) != 0;
        for (uint rest = warp.Mask; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            ulong both = a[lane] | ((ulong)b[lane] << 32);
            int count = (int)(wraps ? c[lane] & 31 : Math.Min(c[lane], 32));
            d[lane] = (uint)(right ? both >> count : (both << count) >> 32);
        }

        return at + 1;
    }

    /// <summary>fns: the C-th set bit of A from position B on, upwards or downwards.</summary>
    public static Instr* FindNthSet(Warp warp, Instr* at)
    {
        for (uint rest = warp.Mask; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            uint mask = ((uint*)(warp.R + at->A))[lane];
            int from = (int)((uint*)(warp.R + at->B))[lane];
            int wanted = ((int*)(warp.R + at->C))[lane];
            int step = wanted < 0 ? -1 : 1;
            int left = wanted == 0 ? 1 : Math.Abs(wanted);
            uint found = uint.MaxValue;
            for (int bit = from; bit is >= 0 and < 32; bit += step)
            {
                if ((mask >> bit & 1) != 0 && --left == 0)
                {
                    found = (uint)bit;
                    break;
                }

                if (wanted == 0)
                {
                    break;
                }
            }

            ((uint*)(warp.R + at->D))[lane] = found;
        }

        return at + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> Logic(Vector512<uint> a, Vector512<uint> b, Vector512<uint> c, int table)
    {
        Vector512<uint> result = Vector512<uint>.Zero;
        for (int i = 0; i < 8; i++)
        {
            if ((table >> i & 1) != 0)
            {
                result |= ((i & 4) != 0 ? a : ~a) & ((i & 2) != 0 ? b : ~b) & ((i & 1) != 0 ? c : ~c);
            }
        }

        return result;
    }

    /// <summary>The byte selector that a prmt mode means for a count of 0 to 3.</summary>
    private static uint Selector(int mode, uint n)
    {
        uint result = 0;
        for (uint i = 0; i < 4; i++)
        {
            uint pick = mode switch
            {
                1 => n + i,
                2 => (n - i) & 7,
                3 => n,
                4 => Math.Max(i, n),
                5 => Math.Min(i, n),
                _ => (i & 1) + (2 * (n & 1)),
            };
            result |= (pick & 7) << (4 * (int)i);
        }

        return result;
    }
}
