using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using CoGrpo.CudaEmulator.Checks;
using CoGrpo.CudaEmulator.Compilation;
using CoGrpo.CudaEmulator.Execution;
using CoGrpo.CudaEmulator.Memory;

namespace CoGrpo.CudaEmulator.Operations;

/// <summary>
/// Loads and stores of global and shared memory. Lanes at adjacent addresses, and lanes at one address, are handled together; what remains,
/// and whatever does not pass the quick checks, lane by lane.
/// </summary>
internal static unsafe class MemoryOperations
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* Load<TSpace, TShape>(Warp warp, Instr* at)
        where TSpace : struct, IMemorySpace
        where TShape : struct, IMemoryShape
    {
        Load<TSpace, TShape>(warp, at, LaneAddresses.Get(warp, at), warp.Mask);
        return at + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* Store<TSpace, TShape>(Warp warp, Instr* at)
        where TSpace : struct, IMemorySpace
        where TShape : struct, IMemoryShape
    {
        Store<TSpace, TShape>(warp, at, LaneAddresses.Get(warp, at), warp.Mask);
        return at + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Load<TSpace, TShape>(Warp warp, Instr* at, ulong* addresses, uint lanes)
        where TSpace : struct, IMemorySpace
        where TShape : struct, IMemoryShape
    {
        int first = BitOperations.TrailingZeroCount(lanes);
        ulong start = addresses[first];
        if ((LaneAddresses.Outside(addresses, first, 1UL << TShape.Size) & lanes) == 0 && LaneVectors.IsRun(lanes))
        {
            uint bytes = (uint)BitOperations.PopCount(lanes) << TShape.Size;
            Region* region = TSpace.Find(warp, at, start);
            if (region != null && TSpace.ReadRun(warp, at, region, start - region->Start, bytes, TShape.Size, TSpace.LaneField(warp, first)))
            {
                byte* from = region->Host + (start - region->Start);
                if (lanes == uint.MaxValue)
                {
                    TShape.LoadAll(warp, at, from);
                }
                else
                {
                    TShape.LoadRun(warp, at, from, first, BitOperations.PopCount(lanes));
                }

                TSpace.CountRun(warp, region, start, bytes, false);
                return;
            }
        }

        Scattered<TSpace, TShape>(warp, at, addresses, lanes);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Store<TSpace, TShape>(Warp warp, Instr* at, ulong* addresses, uint lanes)
        where TSpace : struct, IMemorySpace
        where TShape : struct, IMemoryShape
    {
        int first = BitOperations.TrailingZeroCount(lanes);
        ulong start = addresses[first];
        if ((LaneAddresses.Outside(addresses, first, 1UL << TShape.Size) & lanes) == 0 && LaneVectors.IsRun(lanes))
        {
            uint bytes = (uint)BitOperations.PopCount(lanes) << TShape.Size;
            Region* region = TSpace.Find(warp, at, start);
            if (region != null && TSpace.WriteRun(warp, at, region, start - region->Start, bytes, TShape.Size, TSpace.LaneField(warp, first)))
            {
                byte* to = region->Host + (start - region->Start);
                if (lanes == uint.MaxValue)
                {
                    TShape.StoreAll(warp, at, to);
                }
                else
                {
                    TShape.StoreRun(warp, at, to, first, BitOperations.PopCount(lanes));
                }

                TSpace.CountRun(warp, region, start, bytes, true);
                return;
            }
        }

        StoreScattered<TSpace, TShape>(warp, at, addresses, lanes);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Scattered<TSpace, TShape>(Warp warp, Instr* at, ulong* addresses, uint lanes)
        where TSpace : struct, IMemorySpace
        where TShape : struct, IMemoryShape
    {
        uint stepping = lanes & (lanes >> 1) & Followed(addresses, 1UL << TShape.Size);
        uint repeated = lanes & (lanes >> 1) & Followed(addresses, 0);
        bool strong = (at->Flags & AccessFlags.Strong) != 0;
        uint rest = lanes;
        while (rest != 0)
        {
            int first = BitOperations.TrailingZeroCount(rest);
            int run = 1 + BitOperations.TrailingZeroCount(~(stepping >> first));
            int same = 1 + BitOperations.TrailingZeroCount(~(repeated >> first));
            int count = Math.Max(run, same);
            uint part = (count == 32 ? uint.MaxValue : (1u << count) - 1) << first;
            rest &= ~part;
            ulong start = addresses[first];
            Region* region = TSpace.Find(warp, at, start);
            if (count == 1)
            {
                byte* place = region != null && TSpace.ReadOne(warp, at, region, start - region->Start, TShape.Size, TSpace.LaneField(warp, first))
                    ? region->Host + (start - region->Start)
                    : TSpace.ReadLane(warp, at, first, start, TShape.Size);
                TShape.LoadLane(warp, at, place, first);
                if (strong)
                {
                    TSpace.HasLooked(warp, start);
                }

                continue;
            }

            uint bytes = (uint)run << TShape.Size;
            uint self = TSpace.LaneField(warp, first) | (same > 1 ? CellFormat.OtherLanes : 0);
            if (
                region != null
                && (
                    same > 1
                        ? TSpace.ReadOne(warp, at, region, start - region->Start, TShape.Size, self)
                        : TSpace.ReadRun(warp, at, region, start - region->Start, bytes, TShape.Size, self)
                )
            )
            {
                byte* from = region->Host + (start - region->Start);
                if (same > 1)
                {
                    TShape.LoadSame(warp, at, from, part);
                }
                else
                {
                    TShape.LoadRun(warp, at, from, first, count);
                }

                continue;
            }

            for (int lane = first; lane < first + count; lane++)
            {
                TShape.LoadLane(warp, at, TSpace.ReadLane(warp, at, lane, addresses[lane], TShape.Size), lane);
                if (strong)
                {
                    TSpace.HasLooked(warp, addresses[lane]);
                }
            }
        }

        TSpace.CountLanes(warp, at, addresses, lanes, 1 << TShape.Size, false);
        if ((at->Flags & AccessFlags.Acquire) != 0)
        {
            Ordering.Fence(warp);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void StoreScattered<TSpace, TShape>(Warp warp, Instr* at, ulong* addresses, uint lanes)
        where TSpace : struct, IMemorySpace
        where TShape : struct, IMemoryShape
    {
        ulong* value = stackalloc ulong[2];
        uint stepping = lanes & (lanes >> 1) & Followed(addresses, 1UL << TShape.Size);
        uint rest = lanes;
        while (rest != 0)
        {
            int first = BitOperations.TrailingZeroCount(rest);
            int count = 1 + BitOperations.TrailingZeroCount(~(stepping >> first));
            rest &= ~((count == 32 ? uint.MaxValue : (1u << count) - 1) << first);
            ulong start = addresses[first];
            Region* region = TSpace.Find(warp, at, start);
            if (count == 1)
            {
                if (region != null && TSpace.WriteOne(warp, at, region, start - region->Start, TShape.Size, TSpace.LaneField(warp, first)))
                {
                    TShape.StoreLane(warp, at, region->Host + (start - region->Start), first);
                    continue;
                }

                TShape.StoreLane(warp, at, (byte*)value, first);
                TShape.StoreLane(warp, at, TSpace.WriteLane(warp, at, first, start, TShape.Size, (byte*)value), first);
                continue;
            }

            if (
                region != null
                && TSpace.WriteRun(warp, at, region, start - region->Start, (uint)count << TShape.Size, TShape.Size, TSpace.LaneField(warp, first))
            )
            {
                TShape.StoreRun(warp, at, region->Host + (start - region->Start), first, count);
                continue;
            }

            for (int lane = first; lane < first + count; lane++)
            {
                TShape.StoreLane(warp, at, (byte*)value, lane);
                TShape.StoreLane(warp, at, TSpace.WriteLane(warp, at, lane, addresses[lane], TShape.Size, (byte*)value), lane);
            }
        }

        TSpace.CountLanes(warp, at, addresses, lanes, 1 << TShape.Size, true);
    }

    /// <summary>Lanes after which the next one's address is larger by <paramref name="step"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Followed(ulong* addresses, ulong step)
    {
        uint result = 0;
        for (int i = 0; i < 4; i++)
        {
            Vector512<ulong> here = Vector512.LoadAligned(addresses + (8 * i));
            Vector512<ulong> next = Vector512.Load(addresses + (8 * i) + 1);
            result |= (uint)Vector512.Equals(here + Vector512.Create(step), next).ExtractMostSignificantBits() << (8 * i);
        }

        return result & 0x7FFFFFFF;
    }
}
