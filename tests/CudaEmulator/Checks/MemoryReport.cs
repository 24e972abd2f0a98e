using CoGrpo.CudaEmulator.Compilation;
using CoGrpo.CudaEmulator.Execution;
using CoGrpo.CudaEmulator.Memory;
using CoGrpo.CudaEmulator.Ptx;

namespace CoGrpo.CudaEmulator.Checks;

/// <summary>Names places in memory, and says what is wrong with an access.</summary>
internal static unsafe class MemoryReport
{
    /// <summary>What lies at an offset of a region.</summary>
    public static string Name(Warp warp, Region* region, ulong offset)
    {
        if (region->Kind != RegionKind.Shared)
        {
            return $"{warp.Launch.Memory.NoteOf(region)}, offset {offset}";
        }

        KernelCode code = warp.Launch.Code;
        foreach ((int start, PtxVariable variable) in code.SharedVariables)
        {
            if (offset >= (ulong)start && offset < (ulong)start + (ulong)variable.Bytes)
            {
                return $"shared {variable.Name}, offset {offset - (ulong)start}";
            }
        }

        return offset >= (ulong)code.DynamicSharedOffset && offset < region->Bytes
            ? $"dynamic shared memory, offset {offset - (ulong)code.DynamicSharedOffset}"
            : $"shared memory, offset {offset}";
    }

    /// <summary>An access to global memory that hits no live region, or runs over the end of one.</summary>
    public static ViolationException NotMapped(Warp warp, Instr* at, int lane, ulong address, int bytes, string what)
    {
        AddressSpace memory = warp.Launch.Memory;
        Region* region = memory.Find(address);
        if (region != null)
        {
            return warp.Fail(ViolationKind.OutOfBounds, at, lane,
                $"{what} of {bytes} bytes runs {address + (ulong)bytes - (region->Start + region->Bytes)} bytes over the end of {memory.NoteOf(region)}", address);
        }

        (RegionNote? nearest, RegionNote? freed) = memory.Explain(address);
        if (freed is not null)
        {
            return warp.Fail(
                ViolationKind.UseAfterFree,
                at,
                lane,
                $"{what} of {bytes} bytes at offset {address - freed.Start} of {freed}, which was freed",
                address
            );
        }

        string where = nearest is null ? "nothing is allocated"
            : address >= nearest.Start + nearest.Bytes ? $"{address - (nearest.Start + nearest.Bytes)} bytes after the end of {nearest}"
            : $"{nearest.Start - address} bytes before {nearest}";
        return warp.Fail(ViolationKind.OutOfBounds, at, lane, $"{what} of {bytes} bytes outside all allocations: {where}", address);
    }

    /// <summary>An access beyond the shared memory of the block.</summary>
    public static ViolationException NotShared(Warp warp, Instr* at, int lane, ulong offset, int bytes, string what) =>
        warp.Fail(
            ViolationKind.OutOfBounds,
            at,
            lane,
            $"{what} of {bytes} bytes at shared offset {(long)offset}: the block has {warp.Block.Shared->Bytes} bytes ({warp.Launch.Code.SharedBytes} static, {warp.Launch.DynamicShared} dynamic)",
            offset
        );

    public static ViolationException Misaligned(Warp warp, Instr* at, int lane, ulong address, int bytes, string what) =>
        warp.Fail(ViolationKind.Misaligned, at, lane, $"{what} of {bytes} bytes at an address that is no multiple of {bytes}", address);

    public static ViolationException NotWritten(Warp warp, Instr* at, int lane, Region* region, ulong offset, int bytes)
    {
        ulong first = ByteBits.FirstClear(region->Written, offset);
        ViolationException plain = warp.Fail(ViolationKind.Uninitialised, at, lane,
            $"read of {bytes} bytes of which byte {first - offset} was never written, in {Name(warp, region, offset)}", region->Start + offset);
        return new ViolationException(plain.Violation) { Unwritten = region, UnwrittenOffset = first };
    }

    public static ViolationException IsPoisoned(Warp warp, Instr* at, int lane, Region* region, ulong offset, int bytes, string what) =>
        warp.Fail(
            ViolationKind.Poisoned,
            at,
            lane,
            $"{what} of {bytes} bytes in a range marked as unaddressable, in {Name(warp, region, offset)}",
            region->Start + offset
        );

    public static ViolationException IsInFlight(Warp warp, Instr* at, int lane, Region* region, ulong offset, int bytes, string what) =>
        warp.Fail(
            ViolationKind.AsyncCopyInFlight,
            at,
            lane,
            $"{what} of {bytes} bytes that a cp.async still has to deliver, in {Name(warp, region, offset)}: its thread has not waited for it",
            region->Start + offset
        );
}
