using CoGrpo.CudaEmulator.Compilation;
using CoGrpo.CudaEmulator.Execution;
using CoGrpo.CudaEmulator.Memory;
using CoGrpo.Runtime.Cuda;

namespace CoGrpo.CudaEmulator.Checks;

/// <summary>
/// Decides for one lane's access whether it races: the PTX memory model's notion of two conflicting accesses that are not both strong and
/// not ordered by barriers or by fences with flags. Two plain writes of the same value to the same place are let pass.
/// </summary>
internal static unsafe class RaceRules
{
    /// <summary>Checks a read and notes it.</summary>
    /// <exception cref="ViolationException">It races.</exception>
    public static void Read(Warp warp, Instr* at, int lane, Region* region, ulong offset, int size, bool strong)
    {
        ref RaceView view = ref View(warp, region);
        uint self = Self(view, lane, strong);
        int cells = RaceCells.Locate(region, view.Epoch, offset, size, out uint* writers, out uint* readers);
        for (int i = 0; i < cells; i++)
        {
            uint writer = writers[i];
            if (writer != 0 && !IsOrdered(warp, lane, view, writer) && !(strong && (writer & CellFormat.Strong) != 0))
            {
                throw Race(warp, at, lane, region, offset, 1 << size, "read", "write", writer, view);
            }

            uint reader = readers[i];
            readers[i] = reader == 0 || IsOrdered(warp, lane, view, reader) ? self : view.Merge(reader, self);
        }
    }

    /// <summary>Checks a write and notes it.</summary>
    /// <param name="warp">The warp.</param>
    /// <param name="at">The instruction.</param>
    /// <param name="lane">The lane.</param>
    /// <param name="region">Where.</param>
    /// <param name="offset">Offset of the first byte.</param>
    /// <param name="size">log2 of the bytes.</param>
    /// <param name="strong">Whether the access is strong.</param>
    /// <param name="sameValue">Whether the bytes there are what is written.</param>
    /// <exception cref="ViolationException">It races.</exception>
    public static void Write(Warp warp, Instr* at, int lane, Region* region, ulong offset, int size, bool strong, bool sameValue)
    {
        ref RaceView view = ref View(warp, region);
        uint self = Self(view, lane, strong);
        int cells = RaceCells.Locate(region, view.Epoch, offset, size, out uint* writers, out uint* readers);
        for (int i = 0; i < cells; i++)
        {
            uint writer = writers[i];
            bool free = writer == 0 || IsOrdered(warp, lane, view, writer);
            if (!free && !sameValue && !(strong && (writer & CellFormat.Strong) != 0))
            {
                throw Race(warp, at, lane, region, offset, 1 << size, "write", "write", writer, view);
            }

            uint reader = readers[i];
            bool unread = reader == 0 || IsOrdered(warp, lane, view, reader);
            if (!unread && !(strong && (reader & CellFormat.Strong) != 0))
            {
                throw Race(warp, at, lane, region, offset, 1 << size, "write", "read", reader, view);
            }

            writers[i] = free ? self : view.Merge(writer, self);
            readers[i] = unread ? 0 : reader;
        }
    }

    /// <summary>
    /// A read of bytes that nothing had written, after all: if a thread that no barrier orders before it has written them meanwhile, it is a race.
    /// </summary>
    public static ViolationException Explain(Warp warp, ViolationException unwritten)
    {
        Region* region = unwritten.Unwritten;
        ulong offset = unwritten.UnwrittenOffset;
        if (region->Writers == null || !ByteBits.AllSet(region->Written, offset, 1))
        {
            return unwritten;
        }

        ref RaceView view = ref View(warp, region);
        int cells = RaceCells.Locate(region, view.Epoch, offset & ~3UL, 2, out uint* writers, out _);
        uint writer = writers[cells == 1 ? 0 : (int)(offset & 3) * cells / 4];
        Violation violation = unwritten.Violation;
        return writer == 0 ? unwritten : new ViolationException(violation with
        {
            Kind = ViolationKind.Race,
            Text = $"read in {MemoryReport.Name(warp, region, offset)} races with a write by {Who(warp.Launch, view, writer)}, which comes after it here: {Remedy(warp, view, writer)}",
        });
    }

    private static ref RaceView View(Warp warp, Region* region)
    {
        if (region->Kind == RegionKind.Shared)
        {
            return ref warp.SharedView;
        }

        return ref warp.GlobalView;
    }

    private static uint Self(in RaceView view, int lane, bool strong) =>
        (view.Self + ((uint)lane << CellFormat.LaneShift)) | (strong ? CellFormat.Strong : 0);

    private static bool IsOrdered(Warp warp, int lane, in RaceView view, uint cell)
    {
        CellFormat format = view.Format;
        Block block = warp.Block;
        uint clock = cell & format.ClockField;
        if ((cell & CellFormat.OtherBlocks) != 0)
        {
            // Who they were is not known: with fences about, they may all be ordered.
            return warp.Launch.Orderings is not null;
        }

        if (((cell ^ view.Self) & format.BlockField) != 0)
        {
            return warp.Launch.Orderings is { } orderings
                && (!format.BlocksAreExact || orderings.IsOrdered(format.BlockOf(cell), clock, block.Number, format));
        }

        if ((cell & CellFormat.OtherWarps) != 0)
        {
            return clock < format.Bound(block.MostKnown(warp.Index));
        }

        int other = format.WarpOf(cell);
        if (other != warp.Index)
        {
            return clock < format.Bound(block.Known(warp.Index, other));
        }

        if ((cell & CellFormat.OtherLanes) != 0)
        {
            return clock < format.Bound(Math.Max(warp.WarpLow, warp.Lanes?.Most(lane) ?? 0));
        }

        int otherLane = CellFormat.LaneOf(cell);
        return otherLane == lane || clock < format.Bound(Math.Max(warp.WarpLow, warp.Lanes?.Known(lane, otherLane) ?? 0));
    }

    private static ViolationException Race(
        Warp warp,
        Instr* at,
        int lane,
        Region* region,
        ulong offset,
        int bytes,
        string what,
        string other,
        uint cell,
        in RaceView view
    )
    {
        return warp.Fail(ViolationKind.Race, at, lane,
            $"{what} of {bytes} bytes in {MemoryReport.Name(warp, region, offset)} races with a {other} by {Who(warp.Launch, view, cell)}: {Remedy(warp, view, cell)}", region->Start + offset);
    }

    private static bool IsSameBlock(in RaceView view, uint cell) =>
        (cell & CellFormat.OtherBlocks) == 0 && ((cell ^ view.Self) & view.Format.BlockField) == 0;

    private static string Who(Launch launch, in RaceView view, uint cell)
    {
        CellFormat format = view.Format;
        Dim3 thread = ViolationReport.ThreadOf(launch, (format.WarpOf(cell) * 32) + CellFormat.LaneOf(cell));
        string who = $"thread ({thread.X},{thread.Y},{thread.Z})" + ((cell & CellFormat.Others) != 0 ? " and others" : "");
        if (IsSameBlock(view, cell))
        {
            return who;
        }

        Dim3 block = launch.BlockIndex(format.BlockOf(cell));
        return who + (format.BlocksAreExact ? $" of block ({block.X},{block.Y},{block.Z})" : " of another block");
    }

    private static string Remedy(Warp warp, in RaceView view, uint cell) =>
        !IsSameBlock(view, cell) ? "blocks of one launch are not ordered: use atomics, or a second launch"
        : view.Format.WarpOf(cell) == warp.Index ? "no __syncwarp() or __syncthreads() stands between them"
        : "no __syncthreads() stands between them";
}
