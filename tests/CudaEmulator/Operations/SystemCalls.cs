using System.Numerics;
using System.Text;
using CoGrpo.CudaEmulator.Compilation;
using CoGrpo.CudaEmulator.Execution;
using CoGrpo.CudaEmulator.Memory;

namespace CoGrpo.CudaEmulator.Operations;

/// <summary>Functions that the system provides to device code: vprintf, __assertfail, malloc, free. Each argument is a slot per 4 bytes.</summary>
internal static unsafe class SystemCalls
{
    /// <summary>vprintf: format at B:A, arguments at E:C, result D.</summary>
    public static Instr* Print(Warp warp, Instr* at)
    {
        for (uint rest = warp.Active; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            string format = Text(warp, at, lane, Pointer(warp, at->A, at->B, lane));
            ulong arguments = Pointer(warp, at->C, at->E, lane);
            string text = DevicePrint.Format(
                format,
                (offset, size) => Value(warp, at, lane, arguments + (ulong)offset, size),
                address => Text(warp, at, lane, address)
            );
            lock (warp.Launch.Options.Output)
            {
                warp.Launch.Options.Output.Write(text);
            }

            ((uint*)(warp.R + at->D))[lane] = (uint)text.Length;
        }

        return at + 1;
    }

    /// <summary>__assertfail(message, file, line, function, size): slots in object Extra.</summary>
    public static Instr* AssertFail(Warp warp, Instr* at)
    {
        int[] slots = (int[])warp.Launch.Code.Objects[at->Extra];
        int lane = Warp.FirstLane(warp.Active);
        string message = Text(warp, at, lane, Pointer(warp, slots[0], slots[1], lane));
        string file = Text(warp, at, lane, Pointer(warp, slots[2], slots[3], lane));
        uint line = ((uint*)(warp.R + slots[4]))[lane];
        throw warp.Fail(ViolationKind.Assertion, at, lane, $"assertion «{message}» of {file}:{line} failed");
    }

    /// <summary>malloc: size at B:A, result at C:D; null when there is no room.</summary>
    public static Instr* Allocate(Warp warp, Instr* at)
    {
        for (uint rest = warp.Active; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            ulong bytes = Pointer(warp, at->A, at->B, lane);
            Region* region = bytes == 0 ? null : warp.Launch.Memory.Allocate(bytes, RegionKind.Allocation, "device-side malloc");
            ulong address = region == null ? 0 : region->Start;
            ((uint*)(warp.R + at->D))[lane] = (uint)address;
            ((uint*)(warp.R + at->C))[lane] = (uint)(address >> 32);
        }

        return at + 1;
    }

    /// <summary>free: address at B:A.</summary>
    public static Instr* Free(Warp warp, Instr* at)
    {
        for (uint rest = warp.Active; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            ulong address = Pointer(warp, at->A, at->B, lane);
            if (address != 0 && !warp.Launch.Memory.Free(address, RegionKind.Allocation))
            {
                throw warp.Fail(ViolationKind.OutOfBounds, at, lane, "free of an address at which nothing is allocated", address);
            }
        }

        // Other workers may still remember the regions; they are never reused, and say that they are gone.
        return at + 1;
    }

    private static ulong Pointer(Warp warp, int low, int high, int lane) =>
        ((uint*)(warp.R + low))[lane] | ((ulong)((uint*)(warp.R + high))[lane] << 32);

    private static string Text(Warp warp, Instr* at, int lane, ulong address)
    {
        List<byte> bytes = [];
        while (Value(warp, at, lane, address++, 1) is var next && next != 0 && bytes.Count < 1 << 16)
        {
            bytes.Add((byte)next);
        }

        return Encoding.UTF8.GetString([.. bytes]);
    }

    private static ulong Value(Warp warp, Instr* at, int lane, ulong address, int size)
    {
        ulong value = 0;
        for (int i = 0; i < size; i++)
        {
            value |= (ulong)*Place(warp, at, lane, address + (uint)i) << (8 * i);
        }

        return value;
    }

    private static byte* Place(Warp warp, Instr* at, int lane, ulong address)
    {
        ulong window = address >> Windows.Shift;
        ulong offset = address & Windows.Offset;
        return window switch
        {
            Windows.Local >> Windows.Shift => warp.Local.At(LocalOperations.Checked(warp, at, lane, offset, 0, "read"), lane),
            Windows.Shared >> Windows.Shift => SharedAccess.ReadLane(warp, at, lane, offset, 0),
            _ => GlobalAccess.Checked(warp, at, lane, address, 0, "read") is var region ? region->Host + (address - region->Start) : null,
        };
    }
}
