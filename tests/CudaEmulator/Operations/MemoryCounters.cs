using System.Numerics;
using System.Runtime.CompilerServices;
using CoGrpo.CudaEmulator.Execution;
using CoGrpo.CudaEmulator.Memory;

namespace CoGrpo.CudaEmulator.Operations;

/// <summary>Counts what memory instructions move.</summary>
internal static unsafe class MemoryCounters
{
    /// <summary>A global access to adjacent bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void GlobalRun(Warp warp, Region* region, ulong start, ulong offset, uint bytes, bool write)
    {
        long sectors = (long)(((start + bytes - 1) >> 5) - (start >> 5)) + 1;
        long ideal = (bytes + 31) >> 5;
        Global(warp, sectors, ideal, bytes, write);
        if (region->SectorsRead != null)
        {
            Touch(write ? region->SectorsWritten : region->SectorsRead, offset, bytes);
        }
    }

    /// <summary>A global access by lanes at scattered addresses.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void GlobalLanes(Warp warp, ulong* addresses, uint lanes, int bytes, bool write)
    {
        SmallSet* sectors = warp.Sets;
        SmallSet* places = sectors + 1;
        sectors->Clear();
        places->Clear();
        int sectorCount = 0;
        int placeCount = 0;
        ulong lastSector = ulong.MaxValue;
        ulong lastPlace = ulong.MaxValue;
        for (uint rest = lanes; rest != 0; rest &= rest - 1)
        {
            ulong place = addresses[BitOperations.TrailingZeroCount(rest)];
            if (place == lastPlace)
            {
                continue;
            }

            lastPlace = place;
            placeCount += places->Add(place);
            ulong sector = place >> 5;
            if (sector != lastSector)
            {
                lastSector = sector;
                sectorCount += sectors->Add(sector);
            }
        }

        Global(warp, sectorCount, ((placeCount * bytes) + 31) >> 5, BitOperations.PopCount(lanes) * bytes, write);
    }

    /// <summary>Notes sectors for the count of distinct ones over a launch.</summary>
    public static void Touch(ulong* sectors, ulong offset, uint bytes)
    {
        for (ulong sector = offset >> 5; sector <= (offset + bytes - 1) >> 5; sector++)
        {
            ulong bit = 1UL << (int)(sector & 63);
            if ((sectors[sector >> 6] & bit) == 0)
            {
                Interlocked.Or(ref sectors[sector >> 6], bit);
            }
        }
    }

    /// <summary>A shared access; the time it takes is the largest number of different words that lanes served together want from one bank.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Shared(Warp warp, ulong* addresses, uint lanes, int bytes, bool write)
    {
        RawCounters* counters = warp.Counters;
        int count = BitOperations.PopCount(lanes);
        if (write)
        {
            counters->SharedBytesWritten += count * bytes;
        }
        else
        {
            counters->SharedBytesRead += count * bytes;
        }

        // Lanes of 8 bytes are served in halves, of 16 in quarters; a lane then takes as many neighbouring banks.
        int unit = Math.Max(4, bytes);
        int shift = BitOperations.Log2((uint)unit);
        int group = 128 / unit;
        uint mask = (uint)group - 1;
        uint* taken = stackalloc uint[32];
        for (int start = 0; start < 32; start += group)
        {
            uint here = lanes & ((group == 32 ? uint.MaxValue : (1u << group) - 1) << start);
            if (here == 0)
            {
                continue;
            }

            // Each lane signs its bank; if every signature is that of the lane's own place, no bank is wanted for two.
            counters->SharedWavefronts++;
            for (uint rest = here; rest != 0; rest &= rest - 1)
            {
                uint place = (uint)(addresses[BitOperations.TrailingZeroCount(rest)] >> shift);
                taken[place & mask] = place;
            }

            uint wrong = 0;
            for (uint rest = here; rest != 0; rest &= rest - 1)
            {
                uint place = (uint)(addresses[BitOperations.TrailingZeroCount(rest)] >> shift);
                wrong |= taken[place & mask] ^ place;
            }

            if (wrong != 0)
            {
                int extra = Conflicts(addresses, here, shift, group);
                counters->SharedWavefronts += extra;
                counters->BankConflicts += extra;
            }
        }
    }

    /// <summary>A shared access to adjacent bytes: never a conflict.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SharedRun(Warp warp, uint bytes, bool write)
    {
        RawCounters* counters = warp.Counters;
        counters->SharedWavefronts += (bytes + 127) >> 7;
        if (write)
        {
            counters->SharedBytesWritten += bytes;
        }
        else
        {
            counters->SharedBytesRead += bytes;
        }
    }

    /// <summary>Passes beyond the first that lanes need which want different places of one bank.</summary>
    private static int Conflicts(ulong* addresses, uint lanes, int shift, int banks)
    {
        int most = 0;
        for (int bank = 0; bank < banks; bank++)
        {
            int different = 0;
            for (uint rest = lanes; rest != 0; rest &= rest - 1)
            {
                int lane = BitOperations.TrailingZeroCount(rest);
                ulong place = addresses[lane] >> shift;
                if ((int)place % banks != bank)
                {
                    continue;
                }

                bool known = false;
                for (uint before = lanes & ((1u << lane) - 1); before != 0 && !known; before &= before - 1)
                {
                    known = addresses[BitOperations.TrailingZeroCount(before)] >> shift == place;
                }

                different += known ? 0 : 1;
            }

            most = Math.Max(most, different - 1);
        }

        return most;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Global(Warp warp, long sectors, long ideal, long bytes, bool write)
    {
        RawCounters* counters = warp.Counters;
        counters->GlobalRequests++;
        if (write)
        {
            counters->GlobalSectorsWritten += sectors;
            counters->IdealSectorsWritten += ideal;
            counters->GlobalBytesWritten += bytes;
        }
        else
        {
            counters->GlobalSectorsRead += sectors;
            counters->IdealSectorsRead += ideal;
            counters->GlobalBytesRead += bytes;
        }
    }
}
