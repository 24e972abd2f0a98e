using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using CoGrpo.CudaEmulator.Compilation;
using CoGrpo.CudaEmulator.Execution;

namespace CoGrpo.CudaEmulator.Operations;

/// <summary>Effective addresses of a memory instruction, and what pattern they form.</summary>
internal static unsafe class LaneAddresses
{
    /// <summary>Writes the effective addresses of all lanes to the warp's scratch.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong* Get(Warp warp, Instr* at)
    {
        ulong* to = warp.Addresses;
        if ((at->Flags & AccessFlags.NarrowAddress) == 0)
        {
            Vector512<ulong> offset = Vector512.Create((ulong)at->Value);
            byte* slot = warp.D + at->A;
            for (int i = 0; i < 4; i++)
            {
                (LaneVectors.Quarter(slot, i) + offset).StoreAligned(to + (8 * i));
            }
        }
        else
        {
            Vector512<uint> offset = Vector512.Create((uint)at->Value);
            byte* slot = warp.R + at->A;
            for (int half = 0; half < 2; half++)
            {
                Vector512<uint> sum = Vector512.LoadAligned((uint*)slot + (16 * half)) + offset;
                Vector512.WidenLower(sum).StoreAligned(to + (16 * half));
                Vector512.WidenUpper(sum).StoreAligned(to + (16 * half) + 8);
            }
        }

        return to;
    }

    /// <summary>Lanes whose address is not that of lane <paramref name="first"/> plus their distance times <paramref name="stride"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Outside(ulong* addresses, int first, ulong stride)
    {
        Vector512<ulong> lane = Vector512.Create(0UL, 1, 2, 3, 4, 5, 6, 7);
        Vector512<ulong> step = Vector512.Create(8 * stride);
        Vector512<ulong> expected = Vector512.Create(addresses[first] - ((ulong)first * stride)) + (lane * Vector512.Create(stride));
        uint same = 0;
        for (int i = 0; i < 4; i++)
        {
            same |= (uint)Vector512.Equals(Vector512.LoadAligned(addresses + (8 * i)), expected).ExtractMostSignificantBits() << (8 * i);
            expected += step;
        }

        return ~same;
    }
}
