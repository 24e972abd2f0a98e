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
    public static void GlobalLanes(Warp warp, ulong* addresses, uint lanes, int bytes, bool write)
    {
        int distinct = LaneAddresses.Distinct(addresses, lanes);
        Global(warp, LaneAddresses.Sectors(addresses, lanes, bytes), ((distinct * bytes) + 31) >> 5, BitOperations.PopCount(lanes) * bytes, write);
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

        int group = bytes <= 4 ? 32 : 128 / bytes;
        int words = Math.Max(1, bytes / 4);
        byte* used = stackalloc byte[32];
        uint* known = stackalloc uint[32 * 32];
        for (int start = 0; start < 32; start += group)
        {
            uint here = lanes & (group == 32 ? uint.MaxValue : ((1u << group) - 1) << start);
            if (here == 0)
            {
                continue;
            }

            new Span<byte>(used, 32).Clear();
            int most = 1;
            for (uint rest = here; rest != 0; rest &= rest - 1)
            {
                uint word = (uint)(addresses[BitOperations.TrailingZeroCount(rest)] >> 2);
                for (int i = 0; i < words; i++, word++)
                {
                    uint bank = word & 31;
                    int k = 0;
                    while (k < used[bank] && known[(bank * 32) + (uint)k] != word)
                    {
                        k++;
                    }

                    if (k == used[bank])
                    {
                        known[(bank * 32) + (uint)k] = word;
                        used[bank]++;
                        most = Math.Max(most, k + 1);
                    }
                }
            }

            counters->SharedWavefronts += most;
            counters->BankConflicts += most - 1;
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
