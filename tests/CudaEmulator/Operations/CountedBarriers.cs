using System.Numerics;
using CoGrpo.CudaEmulator.Checks;
using CoGrpo.CudaEmulator.Compilation;
using CoGrpo.CudaEmulator.Execution;
using CoGrpo.CudaEmulator.Memory;

namespace CoGrpo.CudaEmulator.Operations;

/// <summary>
/// mbarrier: a barrier that is 64 bits of shared memory. Bits 0 to 19 count the arrivals still wanted, bits 20 to 39 hold how many a phase wants,
/// the rest counts phases. Address A; count B and state C unless negative; result D.
/// </summary>
internal static unsafe class CountedBarriers
{
    private const int Size = 3;
    private const int ExpectedShift = 20;
    private const int PhaseShift = 40;
    private const ulong CountMask = (1UL << ExpectedShift) - 1;

    /// <summary><see cref="Instr.Extra"/> of an arrival: the next phase wants as many fewer.</summary>
    public const int Drops = 1;

    /// <summary><see cref="Instr.Extra"/> of an arrival: copies of the lane must have arrived first.</summary>
    public const int AfterCopies = 2;

    /// <summary><see cref="Instr.Extra"/> of an arrival: wanted arrivals are raised first, so that it does not count.</summary>
    public const int RaisesFirst = 4;

    public static Instr* Init(Warp warp, Instr* at)
    {
        ulong* addresses = LaneAddresses.Get(warp, at);
        for (uint rest = warp.Mask; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            ulong count = at->B < 0 ? 0 : ((uint*)(warp.R + at->B))[lane];
            if (count > CountMask || (at->B >= 0 && count == 0))
            {
                throw warp.Fail(
                    ViolationKind.DivergentBarrier,
                    at,
                    lane,
                    $"mbarrier: wanted a count from 1 to {CountMask}, got {count}",
                    addresses[lane]
                );
            }

            *Place(warp, at, lane, addresses[lane], true) = count | (count << ExpectedShift);
        }

        return at + 1;
    }

    public static Instr* Arrive(Warp warp, Instr* at)
    {
        ulong* addresses = LaneAddresses.Get(warp, at);
        if ((at->Extra & AfterCopies) != 0 && warp.Copies.Count > 0)
        {
            AsyncOperations.Deliver(warp, -1);
        }

        for (uint rest = warp.Mask; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            ulong* place = Place(warp, at, lane, addresses[lane], false);
            ulong state = *place;
            if (at->D >= 0)
            {
                ((ulong*)(warp.D + at->D))[lane] = state;
            }

            if ((at->Extra & RaisesFirst) != 0)
            {
                continue;
            }

            ulong count = at->B < 0 ? 1 : ((uint*)(warp.R + at->B))[lane];
            ulong pending = state & CountMask;
            ulong expected = (state >> ExpectedShift) & CountMask;
            if (count > pending)
            {
                throw warp.Fail(ViolationKind.DivergentBarrier, at, lane, $"mbarrier: {count} arrivals where {pending} are wanted", addresses[lane]);
            }

            Ordering.TellShared(warp, addresses[lane], true);
            expected -= (at->Extra & Drops) != 0 ? count : 0;
            pending -= count;
            ulong phase = state >> PhaseShift;
            *place =
                pending > 0
                    ? pending | (expected << ExpectedShift) | (phase << PhaseShift)
                    : expected | (expected << ExpectedShift) | ((phase + 1) << PhaseShift);
        }

        return at + 1;
    }

    /// <summary>Whether the phase of a state (C, 64 bits), or with Extra 1 the phase of a parity (C, 32 bits), is over.</summary>
    public static Instr* Test(Warp warp, Instr* at)
    {
        ulong* addresses = LaneAddresses.Get(warp, at);
        uint result = 0;
        for (uint rest = warp.Mask; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            ulong phase = *Place(warp, at, lane, addresses[lane], false) >> PhaseShift;
            bool over =
                at->Extra == 1 ? (phase & 1) != (((uint*)(warp.R + at->C))[lane] & 1) : phase != ((ulong*)(warp.D + at->C))[lane] >> PhaseShift;
            if (over)
            {
                result |= 1u << lane;
                Ordering.LookShared(warp, addresses[lane]);
            }
        }

        LaneVectors.StorePredicate(warp, at->D, result);
        return at + 1;
    }

    /// <summary>Arrivals wanted in a state (C).</summary>
    public static Instr* Pending(Warp warp, Instr* at)
    {
        for (uint rest = warp.Mask; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            ((uint*)(warp.R + at->D))[lane] = (uint)(((ulong*)(warp.D + at->C))[lane] & CountMask);
        }

        return at + 1;
    }

    private static ulong* Place(Warp warp, Instr* at, int lane, ulong offset, bool init)
    {
        Region* region = SharedAccess.Checked(warp, at, lane, offset, Size, "mbarrier access");
        if (region->Written != null)
        {
            if (!init && !ByteBits.AllSet(region->Written, offset, 8))
            {
                throw MemoryReport.NotWritten(warp, at, lane, region, offset, 8);
            }

            ByteBits.Set(region->Written, offset, 8);
        }

        if (region->Writers != null)
        {
            RaceRules.Write(warp, at, lane, region, offset, Size, !init, false);
        }

        return (ulong*)(region->Host + offset);
    }
}
