using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using CoGrpo.CudaEmulator.Memory;
using U = System.Runtime.Intrinsics.Vector512<uint>;

namespace CoGrpo.CudaEmulator.Checks;

/// <summary>
/// Looks up and updates the race cells of accesses. Answers only yes (no conflict, cells updated) or no; a no is looked into by
/// <see cref="RaceRules"/>, lane by lane.
/// </summary>
internal static unsafe class RaceCells
{
    private const int PageBytes = 1 << Region.PageShift;

    /// <summary>A read by consecutive lanes of consecutive runs of 2^<paramref name="size"/> bytes.</summary>
    /// <param name="region">Where.</param>
    /// <param name="view">The warp's part in the races of this memory.</param>
    /// <param name="self">Cell of the first lane.</param>
    /// <param name="offset">Offset of the first byte, aligned to the size.</param>
    /// <param name="bytes">Bytes of all lanes.</param>
    /// <param name="size">log2 of the bytes of a lane.</param>
    /// <param name="unwritten">Whether any write in this launch is a conflict.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static bool Read(Region* region, in RaceView view, uint self, ulong offset, uint bytes, int size, bool unwritten = false)
    {
        uint done = 0;
        do
        {
            ulong at = offset + done;
            uint part = (uint)Math.Min(bytes - done, PageBytes - (at & (PageBytes - 1)));
            int grain = OpenPage(region, at >> Region.PageShift, view.Epoch, size);
            Cells(region, at, grain, out uint* writers, out uint* readers);
            if (!ReadCells(view, self, writers, readers, CellLanes.Of(size - grain) + (done >> grain), part >> grain, unwritten))
            {
                return false;
            }

            done += part;
        }
        while (done < bytes);
        return true;
    }

    /// <summary>As <see cref="Read"/>, for a write.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static bool Write(Region* region, in RaceView view, uint self, ulong offset, uint bytes, int size)
    {
        uint done = 0;
        do
        {
            ulong at = offset + done;
            uint part = (uint)Math.Min(bytes - done, PageBytes - (at & (PageBytes - 1)));
            int grain = OpenPage(region, at >> Region.PageShift, view.Epoch, size);
            Cells(region, at, grain, out uint* writers, out uint* readers);
            if (!WriteCells(view, self, writers, readers, CellLanes.Of(size - grain) + (done >> grain), part >> grain))
            {
                return false;
            }

            done += part;
        }
        while (done < bytes);
        return true;
    }

    /// <summary>A read by one lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool ReadOne(Region* region, in RaceView view, uint self, ulong offset, int size)
    {
        int grain = OpenPage(region, offset >> Region.PageShift, view.Epoch, size);
        Cells(region, offset, grain, out uint* writers, out uint* readers);
        int i = (1 << (size - grain)) - 1;
        do
        {
            uint writer = writers[i];
            if (!view.IsFree(writer, self))
            {
                return false;
            }

            uint reader = readers[i];
            readers[i] = view.IsFree(reader, self) ? self : view.Merge(reader, self);
        }
        while (--i >= 0);
        return true;
    }

    /// <summary>A write by one lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool WriteOne(Region* region, in RaceView view, uint self, ulong offset, int size)
    {
        int grain = OpenPage(region, offset >> Region.PageShift, view.Epoch, size);
        Cells(region, offset, grain, out uint* writers, out uint* readers);
        int i = (1 << (size - grain)) - 1;
        do
        {
            if (!view.IsFree(writers[i], self) || !view.IsFree(readers[i], self))
            {
                return false;
            }

            writers[i] = self;
            readers[i] = 0;
        }
        while (--i >= 0);
        return true;
    }

    /// <summary>Whether all cells of an access are free of writes in this launch.</summary>
    public static bool Unwritten(Region* region, in RaceView view, ulong offset, int size)
    {
        int count = Locate(region, view.Epoch, offset, size, out uint* writers, out _);
        return new ReadOnlySpan<uint>(writers, count).IndexOfAnyExcept(0u) < 0;
    }

    /// <summary>The cells of one lane's access, opened and fine enough; returns how many.</summary>
    public static int Locate(Region* region, uint epoch, ulong offset, int size, out uint* writers, out uint* readers)
    {
        int grain = OpenPage(region, offset >> Region.PageShift, epoch, size);
        Cells(region, offset, grain, out writers, out readers);
        return 1 << (size - grain);
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
            writers = region->Fine[offset >> Region.PageShift] + ((offset & (PageBytes - 1)) >> grain);
            readers = writers + (PageBytes >> grain);
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
            NativeMemory.Clear(region->Writers + (page << (Region.PageShift - 2)), PageBytes);
            NativeMemory.Clear(region->Readers + (page << (Region.PageShift - 2)), PageBytes);
            return grain;
        }

        NativeMemory.Clear(FineCells(region, page), 2 * PageBytes * sizeof(uint));
        return grain;
    }

    /// <summary>Splits the cells of a page; each part starts as what the whole was.</summary>
    private static int Refine(Region* region, ulong page, int from, int size)
    {
        int grain = Math.Min(size, 2);
        int ratio = from - grain;
        int count = PageBytes >> grain;
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
            region->Fine[page] = (uint*)NativeMemory.AllocZeroed((2 * PageBytes) + 32, sizeof(uint));
        }

        return region->Fine[page];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool ReadCells(in RaceView view, uint self, uint* writers, uint* readers, uint* lanes, uint count, bool unwritten)
    {
        U block = Vector512.Create(view.Block);
        U low = Vector512.Create(view.Low);
        uint i = 0;
        for (; i + 16 <= count; i += 16)
        {
            U mine = Vector512.Load(lanes + i) + Vector512.Create(self);
            U writer = Vector512.Load(writers + i);
            if (writer != U.Zero && (unwritten || (!Vector512.LessThanAll(writer ^ block, low) && !AreFree(view, writer, mine))))
            {
                return false;
            }

            U reader = Vector512.Load(readers + i);
            if (reader == U.Zero || Vector512.LessThanAll(reader ^ block, low))
            {
                mine.Store(readers + i);
            }
            else
            {
                MergeReaders(view, reader, mine).Store(readers + i);
            }
        }

        for (; i < count; i++)
        {
            uint mine = self + lanes[i];
            uint writer = writers[i];
            if (writer != 0 && (unwritten || !view.IsFree(writer, mine)))
            {
                return false;
            }

            uint reader = readers[i];
            readers[i] = view.IsFree(reader, mine) ? mine : view.Merge(reader, mine);
        }

        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool WriteCells(in RaceView view, uint self, uint* writers, uint* readers, uint* lanes, uint count)
    {
        // Nothing is changed before all of it is known to be free: what fails is looked at again.
        U block = Vector512.Create(view.Block);
        U low = Vector512.Create(view.Low);
        uint i = 0;
        for (; i + 16 <= count; i += 16)
        {
            U writer = Vector512.Load(writers + i);
            U reader = Vector512.Load(readers + i);
            if ((writer | reader) != U.Zero)
            {
                U mine = Vector512.Load(lanes + i) + Vector512.Create(self);
                if (
                    (!Vector512.LessThanAll(writer ^ block, low) && !AreFree(view, writer, mine))
                    || (!Vector512.LessThanAll(reader ^ block, low) && !AreFree(view, reader, mine))
                )
                {
                    return false;
                }
            }
        }

        for (; i < count; i++)
        {
            uint mine = self + lanes[i];
            if (!view.IsFree(writers[i], mine) || !view.IsFree(readers[i], mine))
            {
                return false;
            }
        }

        for (i = 0; i + 16 <= count; i += 16)
        {
            (Vector512.Load(lanes + i) + Vector512.Create(self)).Store(writers + i);
            U.Zero.Store(readers + i);
        }

        for (; i < count; i++)
        {
            writers[i] = self + lanes[i];
            readers[i] = 0;
        }

        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool AreFree(in RaceView view, U cell, U mine) => Free(view, cell, mine) == U.AllBitsSet;

    /// <summary>All ones where a cell is empty or ordered before the lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static U Free(in RaceView view, U cell, U mine)
    {
        U difference = cell ^ mine;
        U block = Vector512.LessThan(cell ^ Vector512.Create(view.Block), Vector512.Create(view.Low));
        U warp =
            Vector512.Equals(difference & Vector512.Create(view.WarpMask), U.Zero)
            & Vector512.LessThan(cell & Vector512.Create(view.ClockField), Vector512.Create(view.WarpLow));
        U thread = Vector512.Equals(difference & Vector512.Create(view.ThreadMask), U.Zero);
        return Vector512.Equals(cell, U.Zero) | block | warp | thread;
    }

    /// <summary>Cells of readers after a warp has read them too.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static U MergeReaders(in RaceView view, U reader, U mine)
    {
        U free = Free(view, reader, mine);
        U difference = reader ^ mine;
        U block = Vector512.AndNot(
            Vector512.Create(CellFormat.Others),
            Vector512.Equals(difference & Vector512.Create(view.Format.BlockField), U.Zero)
        );
        U warp = Vector512.AndNot(
            Vector512.Create(CellFormat.OtherWarps | CellFormat.OtherLanes),
            Vector512.Equals(difference & Vector512.Create(view.Format.WarpField), U.Zero)
        );
        U lane = Vector512.AndNot(
            Vector512.Create(CellFormat.OtherLanes),
            Vector512.Equals(difference & Vector512.Create(CellFormat.LaneField), U.Zero)
        );
        U merged = (reader | lane | warp | block) & (mine | Vector512.Create(~CellFormat.Strong));
        return Vector512.ConditionalSelect(free, mine, merged);
    }
}
