using System.Runtime.CompilerServices;
using CoGrpo.CudaEmulator.Checks;
using CoGrpo.CudaEmulator.Compilation;
using CoGrpo.CudaEmulator.Execution;
using CoGrpo.CudaEmulator.Memory;

namespace CoGrpo.CudaEmulator.Operations;

/// <summary>Checks of accesses to the shared memory of the block; see <see cref="GlobalAccess"/>.</summary>
internal static unsafe class SharedAccess
{
    /// <summary>Whether a read by adjacent lanes is free of any fault; it is noted then.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool ReadRun(Warp warp, Instr* at, Region* region, ulong offset, uint bytes, int size, uint self)
    {
        if (offset > region->Bytes || offset + bytes > region->Bytes || (offset & ((1u << size) - 1)) != 0 || (at->Flags & AccessFlags.Strong) != 0
            || (region->InFlightCount != 0 && ByteBits.AnySet(region->InFlight, offset, bytes)))
        {
            return false;
        }

        if (region->Written != null && !ByteBits.AllSet(region->Written, offset, bytes))
        {
            return false;
        }

        return region->Writers == null || RaceCells.Read(region, warp.SharedView, warp.SharedView.Self + self, offset, bytes, size);
    }

    /// <summary>As <see cref="ReadRun"/>, for a write.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool WriteRun(Warp warp, Instr* at, Region* region, ulong offset, uint bytes, int size, uint self)
    {
        if (offset > region->Bytes || offset + bytes > region->Bytes || (offset & ((1u << size) - 1)) != 0 || (at->Flags & AccessFlags.Strong) != 0
            || (region->InFlightCount != 0 && ByteBits.AnySet(region->InFlight, offset, bytes)))
        {
            return false;
        }

        if (region->Writers != null && !RaceCells.Write(region, warp.SharedView, warp.SharedView.Self + self, offset, bytes, size))
        {
            return false;
        }

        if (region->Written != null)
        {
            ByteBits.Set(region->Written, offset, bytes);
        }

        return true;
    }

    /// <summary>As <see cref="ReadRun"/>, for one lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool ReadOne(Warp warp, Instr* at, Region* region, ulong offset, int size, uint self)
    {
        uint bytes = 1u << size;
        if (offset >= region->Bytes || offset + bytes > region->Bytes || (offset & (bytes - 1)) != 0 || (at->Flags & AccessFlags.Strong) != 0)
        {
            return false;
        }

        ulong mask = ((1UL << (int)bytes) - 1) << (int)(offset & 63);
        return (region->InFlight[offset >> 6] & mask) == 0 && (region->Written == null || (region->Written[offset >> 6] & mask) == mask)
            && (region->Writers == null || RaceCells.ReadOne(region, warp.SharedView, warp.SharedView.Self + self, offset, size));
    }

    /// <summary>As <see cref="WriteRun"/>, for one lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool WriteOne(Warp warp, Instr* at, Region* region, ulong offset, int size, uint self)
    {
        uint bytes = 1u << size;
        ulong mask = ((1UL << (int)bytes) - 1) << (int)(offset & 63);
        if (
            offset >= region->Bytes
            || offset + bytes > region->Bytes
            || (offset & (bytes - 1)) != 0
            || (at->Flags & AccessFlags.Strong) != 0
            || (region->InFlight[offset >> 6] & mask) != 0
            || (region->Writers != null && !RaceCells.WriteOne(region, warp.SharedView, warp.SharedView.Self + self, offset, size))
        )
        {
            return false;
        }

        if (region->Written != null)
        {
            region->Written[offset >> 6] |= mask;
        }

        return true;
    }

    /// <summary>Checks one lane's read.</summary>
    /// <returns>Host address of its bytes.</returns>
    /// <exception cref="ViolationException">Something is wrong with it.</exception>
    public static byte* ReadLane(Warp warp, Instr* at, int lane, ulong offset, int size)
    {
        Region* region = Checked(warp, at, lane, offset, size, "read");
        int bytes = 1 << size;
        if (region->Written != null && !ByteBits.AllSet(region->Written, offset, (uint)bytes))
        {
            throw MemoryReport.NotWritten(warp, at, lane, region, offset, bytes);
        }

        bool strong = (at->Flags & AccessFlags.Strong) != 0;
        if (region->Writers != null)
        {
            RaceRules.Read(warp, at, lane, region, offset, size, strong);
        }

        return region->Host + offset;
    }

    /// <summary>Checks one lane's write.</summary>
    /// <returns>Host address of its bytes.</returns>
    /// <exception cref="ViolationException">Something is wrong with it.</exception>
    public static byte* WriteLane(Warp warp, Instr* at, int lane, ulong offset, int size, byte* value)
    {
        Region* region = Checked(warp, at, lane, offset, size, "write");
        int bytes = 1 << size;
        bool strong = (at->Flags & AccessFlags.Strong) != 0;
        if (region->Writers != null)
        {
            bool same = (region->Written == null || ByteBits.AllSet(region->Written, offset, (uint)bytes))
                && new ReadOnlySpan<byte>(value, bytes).SequenceEqual(new ReadOnlySpan<byte>(region->Host + offset, bytes));
            RaceRules.Write(warp, at, lane, region, offset, size, strong, same);
        }

        if (region->Written != null)
        {
            ByteBits.Set(region->Written, offset, (ulong)bytes);
        }

        if (strong)
        {
            Ordering.TellShared(warp, offset, (at->Flags & AccessFlags.Release) != 0);
        }

        return region->Host + offset;
    }

    /// <summary>The block's shared memory, after checking that an access lies in it, is aligned and touches nothing in flight.</summary>
    /// <exception cref="ViolationException">Something is wrong with the access.</exception>
    public static Region* Checked(Warp warp, Instr* at, int lane, ulong offset, int size, string what)
    {
        int bytes = 1 << size;
        Region* region = warp.Block.Shared;
        if ((offset & ((ulong)bytes - 1)) != 0 && warp.Launch.Options.Checks.HasFlag(EmulatorCheck.Alignment))
        {
            throw MemoryReport.Misaligned(warp, at, lane, offset, bytes, what);
        }

        if (offset > region->Bytes || offset + (ulong)bytes > region->Bytes)
        {
            throw MemoryReport.NotShared(warp, at, lane, offset, bytes, what);
        }

        if (region->InFlightCount != 0 && ByteBits.AnySet(region->InFlight, offset, (uint)bytes))
        {
            throw MemoryReport.IsInFlight(warp, at, lane, region, offset, bytes, what);
        }

        return region;
    }
}
