using System.Numerics;
using System.Runtime.CompilerServices;
using CoGrpo.CudaEmulator.Checks;
using CoGrpo.CudaEmulator.Compilation;
using CoGrpo.CudaEmulator.Execution;

namespace CoGrpo.CudaEmulator.Operations;

/// <summary>Loads and stores of thread-local memory.</summary>
internal static unsafe class LocalOperations
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* Load<TShape>(Warp warp, Instr* at)
        where TShape : struct, IMemoryShape
    {
        Load<TShape>(warp, at, LaneAddresses.Get(warp, at), warp.Mask);
        return at + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* Store<TShape>(Warp warp, Instr* at)
        where TShape : struct, IMemoryShape
    {
        Store<TShape>(warp, at, LaneAddresses.Get(warp, at), warp.Mask);
        return at + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Load<TShape>(Warp warp, Instr* at, ulong* addresses, uint lanes)
        where TShape : struct, IMemoryShape
    {
        byte* value = stackalloc byte[16];
        bool checks = warp.Launch.Options.Checks.HasFlag(EmulatorCheck.Uninitialised);
        warp.Counters->LocalAccesses++;
        for (uint rest = lanes; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            ulong offset = Checked(warp, at, lane, addresses[lane], TShape.Size, "read");
            if (checks && !warp.Local.IsWritten(offset, 1 << TShape.Size, lane))
            {
                throw warp.Fail(
                    ViolationKind.Uninitialised,
                    at,
                    lane,
                    $"read of {1 << TShape.Size} bytes of local memory, not all of which were written, at offset {offset} of the thread's variables",
                    offset
                );
            }

            if (TShape.Size <= 2)
            {
                TShape.LoadLane(warp, at, warp.Local.At(offset, lane), lane);
                continue;
            }

            for (int i = 0; i < 1 << TShape.Size; i += 4)
            {
                *(uint*)(value + i) = *(uint*)warp.Local.At(offset + (uint)i, lane);
            }

            TShape.LoadLane(warp, at, value, lane);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Store<TShape>(Warp warp, Instr* at, ulong* addresses, uint lanes)
        where TShape : struct, IMemoryShape
    {
        byte* value = stackalloc byte[16];
        warp.Counters->LocalAccesses++;
        for (uint rest = lanes; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            ulong offset = Checked(warp, at, lane, addresses[lane], TShape.Size, "write");
            warp.Local.SetWritten(offset, 1 << TShape.Size, lane);
            if (TShape.Size <= 2)
            {
                TShape.StoreLane(warp, at, warp.Local.At(offset, lane), lane);
                continue;
            }

            TShape.StoreLane(warp, at, value, lane);
            for (int i = 0; i < 1 << TShape.Size; i += 4)
            {
                *(uint*)warp.Local.At(offset + (uint)i, lane) = *(uint*)(value + i);
            }
        }
    }

    /// <summary>The address of a variable of the running frame: Value is its offset in the frame.</summary>
    public static Instr* Address(Warp warp, Instr* at)
    {
        for (int i = 0; i < 4; i++)
        {
            LaneVectors.Store(warp, at->D, i, System.Runtime.Intrinsics.Vector512.Create((ulong)(warp.Frame.Local + at->Value)));
        }

        return at + 1;
    }

    /// <summary>The offset of an access that lies in the thread's local memory and is aligned.</summary>
    /// <exception cref="ViolationException">It does not, or is not.</exception>
    public static ulong Checked(Warp warp, Instr* at, int lane, ulong offset, int size, string what)
    {
        int bytes = 1 << size;
        ulong end = (ulong)(warp.Frame.Local + warp.Frame.Function.LocalBytes);
        if (offset > end || offset + (ulong)bytes > end)
        {
            throw warp.Fail(
                ViolationKind.OutOfBounds,
                at,
                lane,
                $"{what} of {bytes} bytes at local offset {(long)offset}: the thread has {end} bytes of local variables",
                offset
            );
        }

        return (offset & ((ulong)bytes - 1)) == 0 ? offset : throw MemoryReport.Misaligned(warp, at, lane, offset, bytes, what);
    }
}
