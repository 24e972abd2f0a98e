using System.Numerics;
using System.Runtime.CompilerServices;
using CoGrpo.CudaEmulator.Checks;
using CoGrpo.CudaEmulator.Compilation;
using CoGrpo.CudaEmulator.Execution;
using CoGrpo.CudaEmulator.Memory;

namespace CoGrpo.CudaEmulator.Operations;

/// <summary>Constant memory: regions of their own among global addresses, read through another path, which is not counted as traffic.</summary>
internal readonly unsafe struct ConstantSpace : IMemorySpace
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Region* Find(Warp warp, Instr* at, ulong address)
    {
        Region* region = GlobalAccess.Find(warp, at, address);
        return region != null && region->Kind == RegionKind.Constant ? region : null;
    }

    public static uint LaneField(Warp warp, int lane) => 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool ReadRun(Warp warp, Instr* at, Region* region, ulong offset, uint bytes, int size, uint self) =>
        offset + bytes <= region->Bytes
        && (offset & ((1u << size) - 1)) == 0
        && (region->Written == null || ByteBits.AllSet(region->Written, offset, bytes));

    public static bool WriteRun(Warp warp, Instr* at, Region* region, ulong offset, uint bytes, int size, uint self) => false;

    public static bool ReadOne(Warp warp, Instr* at, Region* region, ulong offset, int size, uint self) =>
        ReadRun(warp, at, region, offset, 1u << size, size, self);

    public static bool WriteOne(Warp warp, Instr* at, Region* region, ulong offset, int size, uint self) => false;

    public static byte* ReadLane(Warp warp, Instr* at, int lane, ulong address, int size)
    {
        byte* place = GlobalAccess.ReadLane(warp, at, lane, address, size);
        return Find(warp, at, address) != null
            ? place
            : throw warp.Fail(
                ViolationKind.OutOfBounds,
                at,
                lane,
                $"read of {1 << size} bytes through constant space outside constant memory",
                address
            );
    }

    public static byte* WriteLane(Warp warp, Instr* at, int lane, ulong address, int size, byte* value) =>
        GlobalAccess.WriteLane(warp, at, lane, address, size, value);

    public static void HasLooked(Warp warp, ulong address)
    {
    }

    public static void CountRun(Warp warp, Region* region, ulong start, uint bytes, bool write)
    {
    }

    public static void CountLanes(Warp warp, Instr* at, ulong* addresses, uint lanes, int bytes, bool write)
    {
    }
}

/// <summary>Kernel parameters at addresses known only at run time.</summary>
internal static unsafe class ParameterOperations
{
    public static Instr* Load<TShape>(Warp warp, Instr* at)
        where TShape : struct, IMemoryShape
    {
        Load<TShape>(warp, at, LaneAddresses.Get(warp, at), warp.Mask);
        return at + 1;
    }

    public static void Load<TShape>(Warp warp, Instr* at, ulong* addresses, uint lanes)
        where TShape : struct, IMemoryShape
    {
        for (uint rest = lanes; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            ulong offset = addresses[lane];
            ulong bytes = 1UL << TShape.Size;
            ulong all = (ulong)warp.Launch.Code.ParameterBytes;
            if (offset > all || offset + bytes > all)
            {
                throw warp.Fail(
                    ViolationKind.OutOfBounds,
                    at,
                    lane,
                    $"read of {bytes} bytes at offset {(long)offset} of the kernel's {all} bytes of parameters",
                    offset
                );
            }

            if ((offset & (bytes - 1)) != 0)
            {
                throw MemoryReport.Misaligned(warp, at, lane, offset, (int)bytes, "read");
            }

            TShape.LoadLane(warp, at, warp.Launch.Parameters + offset, lane);
        }
    }
}
