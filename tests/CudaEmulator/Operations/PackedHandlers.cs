using System.Numerics;
using CoGrpo.CudaEmulator.Compilation;
using CoGrpo.CudaEmulator.Execution;

namespace CoGrpo.CudaEmulator.Operations;

/// <summary>What is done to each pair of halves or bytes.</summary>
internal enum PackedOperation
{
    Add,
    Subtract,
    Difference,
    Least,
    Most,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// <summary>Integer operations on the two halves or four bytes of words; rare, so told apart at run time.</summary>
internal static unsafe class PackedHandlers
{
    public const int SignedResult = 1;
    public const int SignedA = 2;
    public const int SignedB = 4;

    /// <summary>Results are held to the range of their type; without it they lose their upper bits.</summary>
    public const int Saturates = 8;

    /// <summary>The results are added to C and not packed.</summary>
    public const int Sums = 16;

    /// <summary>E: the operation, F: bits of an element, Extra: flags.</summary>
    public static Instr* Apply(Warp warp, Instr* at)
    {
        uint* d = (uint*)(warp.R + at->D);
        uint* a = (uint*)(warp.R + at->A);
        uint* b = (uint*)(warp.R + at->B);
        uint* c = (uint*)(warp.R + at->C);
        for (uint rest = warp.Mask; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            d[lane] = Apply((PackedOperation)at->E, at->F, at->Extra, a[lane], b[lane], c[lane]);
        }

        return at + 1;
    }

    private static uint Apply(PackedOperation operation, int width, int flags, uint a, uint b, uint c)
    {
        uint mask = (1u << width) - 1;
        uint result = (flags & Sums) != 0 ? c : 0;
        for (int shift = 0; shift < 32; shift += width)
        {
            int x = Element(a >> shift & mask, width, (flags & SignedA) != 0);
            int y = Element(b >> shift & mask, width, (flags & SignedB) != 0);
            int value = operation switch
            {
                PackedOperation.Add => x + y,
                PackedOperation.Subtract => x - y,
                PackedOperation.Difference => Math.Abs(x - y),
                PackedOperation.Least => Math.Min(x, y),
                PackedOperation.Most => Math.Max(x, y),
                PackedOperation.Equal => x == y ? 1 : 0,
                PackedOperation.NotEqual => x != y ? 1 : 0,
                PackedOperation.Less => x < y ? 1 : 0,
                PackedOperation.LessOrEqual => x <= y ? 1 : 0,
                PackedOperation.Greater => x > y ? 1 : 0,
                _ => x >= y ? 1 : 0,
            };
            bool signed = (flags & SignedResult) != 0;
            if ((flags & Saturates) != 0)
            {
                value = signed ? Math.Clamp(value, -1 << (width - 1), (1 << (width - 1)) - 1) : Math.Clamp(value, 0, (int)mask);
            }

            uint element = (uint)value & mask;
            result = (flags & Sums) != 0 ? result + (uint)Element(element, width, signed) : result | (element << shift);
        }

        return result;
    }

    private static int Element(uint bits, int width, bool signed) => signed ? (int)(bits << (32 - width)) >> (32 - width) : (int)bits;
}
