using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using CoGrpo.CudaEmulator.Execution;
using CoGrpo.CudaEmulator.Memory;

namespace CoGrpo.CudaEmulator.Checks;

/// <summary>
/// Looks up and updates the race cells of accesses. Answers only yes (no conflict, cells updated) or no; a no is looked into by
/// <see cref="RaceRules"/>, lane by lane.
/// </summary>
internal static unsafe class RaceCells
{
    /// <summary>A read by consecutive lanes of consecutive runs of 2^<paramref name="size"/> bytes.</summary>
    /// <param name="warp">The warp.</param>
    /// <param name="region">Where.</param>
    /// <param name="view">The warp's part in the races of this memory.</param>
    /// <param name="self">Cell of the first lane.</param>
    /// <param name="offset">Offset of the first byte, aligned to the size.</param>
    /// <param name="bytes">Bytes of all lanes.</param>
    /// <param name="size">log2 of the bytes of a lane.</param>
    public static bool Read(Warp warp, Region* region, in RaceView view, uint self, ulong offset, uint bytes, int size)
    {
        uint done = 0;
        do
        {
            ulong at = offset + done;
            uint part = (uint)Math.Min(bytes - done, (1UL << Region.PageShift) - (at & ((1 << Region.PageShift) - 1)));
            int grain = OpenPage(region, at >> Region.PageShift, view.Epoch, size);
            Cells(region, at, grain, out uint* writers, out uint* readers);
            if (!ReadCells(view, self, writers, readers, view.Format.Lanes(size - grain) + (done >> grain), part >> grain))
            {
                return false;
            }

            done += part;
        }
        while (done < bytes);
        return true;
    }

    /// <summary>As <see cref="Read"/>, for a write.</summary>
    public static bool Write(Warp warp, Region* region, in RaceView view, uint self, ulong offset, uint bytes, int size)
    {
        uint done = 0;
        do
        {
            ulong at = offset + done;
            uint part = (uint)Math.Min(bytes - done, (1UL << Region.PageShift) - (at & ((1 << Region.PageShift) - 1)));
            int grain = OpenPage(region, at >> Region.PageShift, view.Epoch, size);
            Cells(region, at, grain, out uint* writers, out uint* readers);
            if (!WriteCells(view, self, writers, readers, view.Format.Lanes(size - grain) + (done >> grain), part >> grain))
            {
                return false;
            }

            done += part;
        }
        while (done < bytes);
        return true;
    }

    /// <summary>Whether all cells of a range are free of writes in this launch.</summary>
    public static bool Unwritten(Region* region, in RaceView view, ulong offset, uint bytes, int size)
    {
        for (uint done = 0; done < bytes; done += 1u << size)
        {
            int grain = OpenPage(region, (offset + done) >> Region.PageShift, view.Epoch, size);
            Cells(region, offset + done, grain, out uint* writers, out _);
            for (int i = 0; i < 1 << (size - grain); i++)
            {
                if (writers[i] != 0)
                {
                    return false;
                }
            }
        }

        return true;
    }

    /// <summary>The cells of one lane's access, opened and fine enough; returns how many.</summary>
    public static int Locate(Region* region, uint epoch, ulong offset, int size, out uint* writers, out uint* readers)
    {
        int grain = OpenPage(region, offset >> Region.PageShift, epoch, size);
        Cells(region, offset, grain, out writers, out readers);
        return 1 << (size - grain);
    }

    /// <summary>Whether the access that a cell names comes before everything this lane does now.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Ordered(in RaceView view, uint cell, uint self)
    {
        CellFormat format = view.Format;
        uint difference = cell ^ self;
        uint clock = cell & format.ClockMask;
        return ((difference & format.BlockMask) == 0 && clock < view.Low)
            || ((difference & format.WarpMask) == 0 && clock < view.WarpLow)
            || (difference & format.ThreadMask) == 0;
    }

    /// <summary>The cell of readers after one more has come that is not ordered with them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Merge(in RaceView view, uint cell, uint self)
    {
        CellFormat format = view.Format;
        uint difference = cell ^ self;
        uint flags = (difference & format.BlockField) != 0 ? CellFormat.OtherBlocks | CellFormat.OtherWarps | CellFormat.OtherLanes
            : (difference & format.WarpField) != 0 ? CellFormat.OtherWarps | CellFormat.OtherLanes
            : (difference & (31u << format.ClockBits)) != 0 ? CellFormat.OtherLanes : 0;
        return (cell | flags) & (self | ~CellFormat.Strong);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Cells(Region* region, ulong offset, int grain, out uint* writers, out uint* readers)
    {
        if (grain == 2)
        {
            writers = region->Writers + (offset >> 2);
            readers = region->Readers + (offset >> 2);
        }
        else
        {
            writers = region->Fine[offset >> Region.PageShift] + ((offset & ((1 << Region.PageShift) - 1)) >> grain);
            readers = writers + ((1 << Region.PageShift) >> grain);
        }
    }

    /// <summary>Makes a page valid for the epoch and its cells no larger than the access; returns log2 of the bytes of a cell.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int OpenPage(Region* region, ulong page, uint epoch, int size)
    {
        // 3 for the size of a cell means that another worker is preparing the page.
        uint state = Volatile.Read(ref region->Pages[page]);
        return (state >> 2) == epoch && (int)(state & 3) <= Math.Min(size, 2) ? (int)(state & 3) : PreparePage(region, page, epoch, size);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int PreparePage(Region* region, ulong page, uint epoch, int size)
    {
        SpinWait spin = default;
        while (true)
        {
            uint state = Volatile.Read(ref region->Pages[page]);
            if ((state >> 2) == epoch && (int)(state & 3) <= Math.Min(size, 2))
            {
                return (int)(state & 3);
            }

            if ((state & 3) == 3 || Interlocked.CompareExchange(ref region->Pages[page], (epoch << 2) | 3, state) != state)
            {
                spin.SpinOnce(-1);
                continue;
            }

            int grain = (state >> 2) == epoch ? Refine(region, page, (int)(state & 3), size) : Clear(region, page, size);
            Volatile.Write(ref region->Pages[page], (epoch << 2) | (uint)grain);
            return grain;
        }
    }

    private static int Clear(Region* region, ulong page, int size)
    {
        int grain = Math.Min(size, 2);
        if (grain == 2)
        {
            NativeMemory.Clear(region->Writers + (page << (Region.PageShift - 2)), 1 << Region.PageShift);
            NativeMemory.Clear(region->Readers + (page << (Region.PageShift - 2)), 1 << Region.PageShift);
            return grain;
        }

        NativeMemory.Clear(FineCells(region, page), (2 << Region.PageShift) * sizeof(uint));
        return grain;
    }

    /// <summary>Splits the cells of a page; each part starts as what the whole was.</summary>
    private static int Refine(Region* region, ulong page, int from, int size)
    {
        int grain = Math.Min(size, 2);
        int ratio = from - grain;
        int count = (1 << Region.PageShift) >> grain;
        uint* fine = FineCells(region, page);
        if (from == 2)
        {
            uint* writers = region->Writers + (page << (Region.PageShift - 2));
            uint* readers = region->Readers + (page << (Region.PageShift - 2));
            for (int i = 0; i < count; i++)
            {
                fine[i] = writers[i >> ratio];
                fine[count + i] = readers[i >> ratio];
            }

            return grain;
        }

        // From halves to bytes within one block of memory: from the end, so that nothing is overwritten before it is read.
        int old = count >> ratio;
        for (int i = count - 1; i >= 0; i--)
        {
            fine[count + i] = fine[old + (i >> ratio)];
        }

        for (int i = count - 1; i >= 0; i--)
        {
            fine[i] = fine[i >> ratio];
        }

        return grain;
    }

    private static uint* FineCells(Region* region, ulong page)
    {
        if (region->Fine[page] == null)
        {
            region->Fine[page] = (uint*)NativeMemory.AllocZeroed((2 << Region.PageShift) + 32, sizeof(uint));
        }

        return region->Fine[page];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool ReadCells(in RaceView view, uint self, uint* writers, uint* readers, uint* lanes, uint count)
    {
        uint i = 0;
        for (; i + 16 <= count; i += 16)
        {
            Vector512<uint> mine = Vector512.Load(lanes + i) + Vector512.Create(self);
            Vector512<uint> writer = Vector512.Load(writers + i);
            if (writer != Vector512<uint>.Zero && !AllFree(view, writer, mine))
            {
                return false;
            }

            Vector512<uint> reader = Vector512.Load(readers + i);
            Vector512<uint> free = Free(view, reader, mine);
            if (free == Vector512<uint>.AllBitsSet)
            {
                mine.Store(readers + i);
            }
            else
            {
                MergeReaders(view, reader, mine, free).Store(readers + i);
            }
        }

        for (; i < count; i++)
        {
            uint mine = self + lanes[i];
            uint writer = writers[i];
            if (writer != 0 && !Ordered(view, writer, mine))
            {
                return false;
            }

            uint reader = readers[i];
            readers[i] = reader == 0 || Ordered(view, reader, mine) ? mine : Merge(view, reader, mine);
        }

        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool WriteCells(in RaceView view, uint self, uint* writers, uint* readers, uint* lanes, uint count)
    {
        // Nothing is changed before all of it is known to be free: what fails is looked at again.
        uint i = 0;
        for (; i + 16 <= count; i += 16)
        {
            Vector512<uint> writer = Vector512.Load(writers + i);
            Vector512<uint> reader = Vector512.Load(readers + i);
            if ((writer | reader) != Vector512<uint>.Zero)
            {
                Vector512<uint> mine = Vector512.Load(lanes + i) + Vector512.Create(self);
                if (!AllFree(view, writer, mine) || !AllFree(view, reader, mine))
                {
                    return false;
                }
            }
        }

        for (; i < count; i++)
        {
            uint mine = self + lanes[i];
            if ((writers[i] != 0 && !Ordered(view, writers[i], mine)) || (readers[i] != 0 && !Ordered(view, readers[i], mine)))
            {
                return false;
            }
        }

        for (i = 0; i + 16 <= count; i += 16)
        {
            (Vector512.Load(lanes + i) + Vector512.Create(self)).Store(writers + i);
            Vector512<uint>.Zero.Store(readers + i);
        }

        for (; i < count; i++)
        {
            writers[i] = self + lanes[i];
            readers[i] = 0;
        }

        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool AllFree(in RaceView view, Vector512<uint> cell, Vector512<uint> mine) => Free(view, cell, mine) == Vector512<uint>.AllBitsSet;

    /// <summary>All ones where a cell is empty or ordered before the lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> Free(in RaceView view, Vector512<uint> cell, Vector512<uint> mine)
    {
        CellFormat format = view.Format;
        Vector512<uint> difference = cell ^ mine;
        Vector512<uint> clock = cell & Vector512.Create(format.ClockMask);
        Vector512<uint> zero = Vector512<uint>.Zero;
        Vector512<uint> block = Vector512.Equals(difference & Vector512.Create(format.BlockMask), zero) & Vector512.LessThan(clock, Vector512.Create(view.Low));
        Vector512<uint> warp = Vector512.Equals(difference & Vector512.Create(format.WarpMask), zero) & Vector512.LessThan(clock, Vector512.Create(view.WarpLow));
        Vector512<uint> thread = Vector512.Equals(difference & Vector512.Create(format.ThreadMask), zero);
        return Vector512.Equals(cell, zero) | block | warp | thread;
    }

    private static Vector512<uint> MergeReaders(in RaceView view, Vector512<uint> reader, Vector512<uint> mine, Vector512<uint> free)
    {
        CellFormat format = view.Format;
        Vector512<uint> difference = reader ^ mine;
        Vector512<uint> zero = Vector512<uint>.Zero;
        Vector512<uint> lane = Vector512.AndNot(Vector512.Create(CellFormat.OtherLanes), Vector512.Equals(difference & Vector512.Create(format.ThreadMask & ~CellFormat.Others), zero));
        Vector512<uint> warp = Vector512.AndNot(Vector512.Create(CellFormat.OtherWarps), Vector512.Equals(difference & Vector512.Create(format.BlockField | format.WarpField), zero));
        Vector512<uint> block = Vector512.AndNot(Vector512.Create(CellFormat.OtherBlocks), Vector512.Equals(difference & Vector512.Create(format.BlockField), zero));
        Vector512<uint> merged = (reader | lane | warp | block) & (mine | Vector512.Create(~CellFormat.Strong));
        return Vector512.ConditionalSelect(free, mine, merged);
    }
}
