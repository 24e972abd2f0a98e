using System.Numerics;
using CoGrpo.CudaEmulator.Compilation;
using CoGrpo.CudaEmulator.Execution;

namespace CoGrpo.CudaEmulator.Operations;

/// <summary>
/// Extended-precision arithmetic: add, sub and mad that take the carry of the last one in, give theirs out, or both. Extra: bit 0 carry in,
/// bit 1 carry out, bit 2 subtraction, bit 3 multiply-add, bit 4 its upper half, bit 5 signed. A subtraction adds the complement, as the device does,
/// so that the carry it leaves is 1 where nothing was borrowed. Only code that mixes both kinds can tell, and the compiler's own 128-bit division
/// does.
/// </summary>
internal static unsafe class CarryHandlers
{
    public const int In = 1;
    public const int Out = 2;
    public const int Subtract = 4;
    public const int Multiply = 8;
    public const int High = 16;
    public const int Signed = 32;

    public static Instr* Word(Warp warp, Instr* at)
    {
        for (uint rest = warp.Mask; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            ulong a = ((uint*)(warp.R + at->A))[lane];
            ulong b = ((uint*)(warp.R + at->B))[lane];
            if ((at->Extra & Multiply) != 0)
            {
                ulong product = (at->Extra & Signed) != 0 ? (ulong)((long)(int)a * (int)b) : a * b;
                a = (at->Extra & High) != 0 ? product >> 32 : (uint)product;
                b = ((uint*)(warp.R + at->C))[lane];
            }

            bool subtracts = (at->Extra & Subtract) != 0;
            ulong carry = (at->Extra & In) != 0 ? warp.Carry >> lane & 1 : subtracts ? 1UL : 0;
            ulong sum = a + (subtracts ? (uint)~b : b) + carry;
            ((uint*)(warp.R + at->D))[lane] = (uint)sum;
            SetCarry(warp, at, lane, (sum >> 32 & 1) != 0);
        }

        return at + 1;
    }

    public static Instr* DoubleWord(Warp warp, Instr* at)
    {
        for (uint rest = warp.Mask; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            ulong a = ((ulong*)(warp.D + at->A))[lane];
            ulong b = ((ulong*)(warp.D + at->B))[lane];
            if ((at->Extra & Multiply) != 0)
            {
                ulong high = (at->Extra & Signed) != 0 ? (ulong)Math.BigMul((long)a, (long)b, out _) : Math.BigMul(a, b, out _);
                a = (at->Extra & High) != 0 ? high : a * b;
                b = ((ulong*)(warp.D + at->C))[lane];
            }

            bool subtracts = (at->Extra & Subtract) != 0;
            UInt128 carry = (at->Extra & In) != 0 ? warp.Carry >> lane & 1 : subtracts ? 1UL : 0;
            UInt128 sum = a + (UInt128)(subtracts ? ~b : b) + carry;
            ((ulong*)(warp.D + at->D))[lane] = (ulong)sum;
            SetCarry(warp, at, lane, ((sum >> 64) & 1) != 0);
        }

        return at + 1;
    }

    private static void SetCarry(Warp warp, Instr* at, int lane, bool carry)
    {
        if ((at->Extra & Out) != 0)
        {
            warp.Carry = carry ? warp.Carry | (1u << lane) : warp.Carry & ~(1u << lane);
        }
    }
}
