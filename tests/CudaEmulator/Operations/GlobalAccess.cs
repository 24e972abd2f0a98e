using System.Numerics;
using System.Runtime.CompilerServices;
using CoGrpo.CudaEmulator.Checks;
using CoGrpo.CudaEmulator.Compilation;
using CoGrpo.CudaEmulator.Execution;
using CoGrpo.CudaEmulator.Memory;

namespace CoGrpo.CudaEmulator.Operations;

/// <summary>
/// Checks of accesses to global memory: a fast answer for adjacent lanes, and the exact one lane by lane, which throws what is wrong.
/// </summary>
internal static unsafe class GlobalAccess
{
    /// <summary>The region at an address, from what the instruction used last or by looking it up; null if there is none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Region* Find(Warp warp, Instr* at, ulong address)
    {
        Region* region = warp.Cache[at->F];
        return region != null && address - region->Start < region->Bytes ? region : Look(warp, at, address);
    }

    /// <summary>Whether a read by adjacent lanes is free of any fault; it is noted then.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool ReadRun(Warp warp, Instr* at, Region* region, ulong offset, uint bytes, int size, uint self)
    {
        if (offset + bytes > region->Bytes || (offset & ((1u << size) - 1)) != 0 || (at->Flags & AccessFlags.Strong) != 0
            || (region->Poisoned != null && ByteBits.AnySet(region->Poisoned, offset, bytes)))
        {
            return false;
        }

        if (region->Written != null && !ByteBits.AllSet(region->Written, offset, bytes))
        {
            return false;
        }

        return region->Writers == null
            || RaceCells.Read(region, warp.GlobalView, warp.GlobalView.Self + self, offset, bytes, size, (at->Flags & AccessFlags.ReadOnlyPath) != 0);
    }

    /// <summary>As <see cref="ReadRun"/>, for a write.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool WriteRun(Warp warp, Instr* at, Region* region, ulong offset, uint bytes, int size, uint self)
    {
        if (offset + bytes > region->Bytes || (offset & ((1u << size) - 1)) != 0 || (at->Flags & AccessFlags.Strong) != 0
            || (region->Poisoned != null && ByteBits.AnySet(region->Poisoned, offset, bytes)) || region->Kind == RegionKind.Constant)
        {
            return false;
        }

        if (region->Writers != null && !RaceCells.Write(region, warp.GlobalView, warp.GlobalView.Self + self, offset, bytes, size))
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
        if (
            offset + bytes > region->Bytes
            || (offset & (bytes - 1)) != 0
            || (at->Flags & (AccessFlags.Strong | AccessFlags.ReadOnlyPath)) != 0
            || region->Poisoned != null
        )
        {
            return false;
        }

        ulong mask = ((1UL << (int)bytes) - 1) << (int)(offset & 63);
        return (region->Written == null || (region->Written[offset >> 6] & mask) == mask)
            && (region->Writers == null || RaceCells.ReadOne(region, warp.GlobalView, warp.GlobalView.Self + self, offset, size));
    }

    /// <summary>As <see cref="WriteRun"/>, for one lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool WriteOne(Warp warp, Instr* at, Region* region, ulong offset, int size, uint self)
    {
        uint bytes = 1u << size;
        if (
            offset + bytes > region->Bytes
            || (offset & (bytes - 1)) != 0
            || (at->Flags & AccessFlags.Strong) != 0
            || region->Poisoned != null
            || region->Kind == RegionKind.Constant
            || (region->Writers != null && !RaceCells.WriteOne(region, warp.GlobalView, warp.GlobalView.Self + self, offset, size))
        )
        {
            return false;
        }

        if (region->Written != null)
        {
            ByteBits.Set(region->Written, offset, bytes);
        }

        return true;
    }

    /// <summary>Checks one lane's read.</summary>
    /// <returns>Host address of its bytes.</returns>
    /// <exception cref="ViolationException">Something is wrong with it.</exception>
    public static byte* ReadLane(Warp warp, Instr* at, int lane, ulong address, int size)
    {
        Region* region = Checked(warp, at, lane, address, size, "read");
        ulong offset = address - region->Start;
        int bytes = 1 << size;
        if (region->Written != null && !ByteBits.AllSet(region->Written, offset, (uint)bytes))
        {
            throw MemoryReport.NotWritten(warp, at, lane, region, offset, bytes);
        }

        bool strong = (at->Flags & AccessFlags.Strong) != 0;
        if (region->Writers != null)
        {
            if ((at->Flags & AccessFlags.ReadOnlyPath) != 0 && !RaceCells.Unwritten(region, warp.GlobalView, offset, size))
            {
                throw warp.Fail(ViolationKind.StaleReadOnlyLoad, at, lane,
                    $"read through the read-only path (const __restrict__ or __ldg) of {bytes} bytes that this launch writes, in {MemoryReport.Name(warp, region, offset)}", address);
            }

            RaceRules.Read(warp, at, lane, region, offset, size, strong);
        }

        return region->Host + offset;
    }

    /// <summary>Checks one lane's write; the value is compared to tell writes that change nothing.</summary>
    /// <returns>Host address of its bytes.</returns>
    /// <exception cref="ViolationException">Something is wrong with it.</exception>
    public static byte* WriteLane(Warp warp, Instr* at, int lane, ulong address, int size, byte* value)
    {
        Region* region = Checked(warp, at, lane, address, size, "write");
        ulong offset = address - region->Start;
        int bytes = 1 << size;
        if (region->Kind == RegionKind.Constant)
        {
            throw warp.Fail(
                ViolationKind.ReadOnly,
                at,
                lane,
                $"write of {bytes} bytes to constant memory, in {MemoryReport.Name(warp, region, offset)}",
                address
            );
        }

        bool strong = (at->Flags & AccessFlags.Strong) != 0;
        if (region->Writers != null)
        {
            bool same = new ReadOnlySpan<byte>(value, bytes).SequenceEqual(new ReadOnlySpan<byte>(region->Host + offset, bytes));
            RaceRules.Write(warp, at, lane, region, offset, size, strong, same);
        }

        if (region->Written != null)
        {
            ByteBits.Set(region->Written, offset, (ulong)bytes);
        }

        if (strong)
        {
            Ordering.Tell(warp, address, (at->Flags & AccessFlags.Release) != 0);
        }

        return region->Host + offset;
    }

    /// <summary>The region of an access that lies wholly in it, is aligned and not poisoned.</summary>
    /// <exception cref="ViolationException">There is none.</exception>
    public static Region* Checked(Warp warp, Instr* at, int lane, ulong address, int size, string what)
    {
        int bytes = 1 << size;
        if ((address & ((ulong)bytes - 1)) != 0 && warp.Launch.Options.Checks.HasFlag(EmulatorCheck.Alignment))
        {
            throw MemoryReport.Misaligned(warp, at, lane, address, bytes, what);
        }

        Region* region = Find(warp, at, address);
        if (region == null || address - region->Start + (ulong)bytes > region->Bytes)
        {
            throw MemoryReport.NotMapped(warp, at, lane, address, bytes, what);
        }

        if (region->Poisoned != null && ByteBits.AnySet(region->Poisoned, address - region->Start, (uint)bytes))
        {
            throw MemoryReport.IsPoisoned(warp, at, lane, region, address - region->Start, bytes, what);
        }

        return region;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Region* Look(Warp warp, Instr* at, ulong address)
    {
        Region* region = warp.Launch.Memory.Find(address);
        if (region != null)
        {
            warp.Cache[at->F] = region;
        }

        return region;
    }
}
