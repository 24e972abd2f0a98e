using System.Numerics;
using CoGrpo.CudaEmulator.Checks;
using CoGrpo.CudaEmulator.Compilation;
using CoGrpo.CudaEmulator.Execution;
using CoGrpo.CudaEmulator.Memory;

namespace CoGrpo.CudaEmulator.Operations;

/// <summary>Where a cp.async goes and how much it takes.</summary>
internal sealed class AsyncCopyForm
{
    /// <summary>log2 of the bytes of a lane.</summary>
    public required int Size { get; init; }

    /// <summary>Slot of the shared address.</summary>
    public required int To { get; init; }

    public required bool ToIsNarrow { get; init; }

    public required long ToOffset { get; init; }

    /// <summary>Slot of the number of bytes to read, the rest being zeros; negative for all.</summary>
    public required int SourceBytes { get; init; }

    /// <summary>Predicate under which nothing is read; negative for none.</summary>
    public required int Ignore { get; init; }

    public required uint IgnoreFlip { get; init; }
}

/// <summary>
/// cp.async: the bytes are read when the copy starts and written when its thread waits for it. In between the target is in flight: nobody may
/// touch it. The form is object Extra.
/// </summary>
internal static unsafe class AsyncOperations
{
    public static Instr* Copy(Warp warp, Instr* at)
    {
        var form = (AsyncCopyForm)warp.Launch.Code.Objects[at->Extra];
        int bytes = 1 << form.Size;
        byte* data = warp.Scratch;
        new Span<byte>(data, 32 * bytes).Clear();
        uint whole = 0;
        ulong* addresses = LaneAddresses.Get(warp, at);
        for (uint rest = warp.Mask; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            uint wanted = form.SourceBytes < 0 ? (uint)bytes : ((uint*)(warp.R + form.SourceBytes))[lane];
            wanted = form.Ignore >= 0 && (((warp.P[form.Ignore] ^ form.IgnoreFlip) >> lane) & 1) != 0 ? 0 : wanted;
            if (wanted > (uint)bytes)
            {
                throw warp.Fail(ViolationKind.OutOfBounds, at, lane, $"cp.async of {bytes} bytes is to read {wanted}", addresses[lane]);
            }

            whole |= wanted == (uint)bytes ? 1u << lane : 0;
            for (uint i = 0; wanted < (uint)bytes && i < wanted; i++)
            {
                data[(uint)(lane * bytes) + i] = *GlobalAccess.ReadLane(warp, at, lane, addresses[lane] + i, 0);
            }
        }

        if (whole != 0)
        {
            switch (form.Size)
            {
                case 2:
                    MemoryOperations.Load<GlobalSpace, ScratchShape<Bytes4>>(warp, at, addresses, whole);
                    break;
                case 3:
                    MemoryOperations.Load<GlobalSpace, ScratchShape<Bytes8>>(warp, at, addresses, whole);
                    break;
                default:
                    MemoryOperations.Load<GlobalSpace, ScratchShape<Bytes16>>(warp, at, addresses, whole);
                    break;
            }
        }

        Begin(warp, at, form, data);
        warp.Counters->AsyncCopyBytes += BitOperations.PopCount(warp.Mask) * bytes;
        return at + 1;
    }

    public static Instr* Commit(Warp warp, Instr* at)
    {
        warp.Copies.Commit(warp.Mask);
        return at + 1;
    }

    /// <summary>Waits until at most Value groups of each lane are under way; with Value negative until nothing is.</summary>
    public static Instr* Wait(Warp warp, Instr* at)
    {
        if (warp.Copies.Count > 0)
        {
            Deliver(warp, at->Value);
        }

        return at + 1;
    }

    /// <summary>Writes what lanes wait for.</summary>
    public static void Deliver(Warp warp, long groupsLeft)
    {
        Region* shared = warp.Block.Shared;
        foreach (AsyncCopy copy in warp.Copies.Pending)
        {
            uint lanes = copy.Lanes & warp.Mask;
            if (lanes == 0)
            {
                continue;
            }

            int bytes = copy.Bytes;
            int size = BitOperations.Log2((uint)bytes);
            fixed (byte* data = copy.Data)
            {
                for (uint rest = lanes; rest != 0; rest &= rest - 1)
                {
                    int lane = BitOperations.TrailingZeroCount(rest);
                    if (groupsLeft >= 0 && copy.Group >= warp.Copies.Groups(lane) - groupsLeft)
                    {
                        continue;
                    }

                    ulong offset = copy.To[lane];
                    Buffer.MemoryCopy(data + (lane * 16), shared->Host + offset, 16, bytes);
                    ByteBits.ClearAlone(shared->InFlight, offset, (uint)bytes);
                    if (shared->Written != null)
                    {
                        ByteBits.Set(shared->Written, offset, (ulong)bytes);
                    }

                    if (
                        shared->Writers != null
                        && !RaceCells.Write(
                            shared,
                            warp.SharedView,
                            warp.SharedView.Self + SharedSpace.LaneField(warp, lane),
                            offset,
                            (uint)bytes,
                            size
                        )
                    )
                    {
                        RaceRules.Write(warp, (Instr*)copy.At, lane, shared, offset, size, false, false);
                    }

                    copy.Lanes &= ~(1u << lane);
                }
            }

            shared->InFlightCount -= copy.Lanes == 0 ? 1 : 0;
        }

        warp.Copies.RemoveDelivered();
    }

    private static void Begin(Warp warp, Instr* at, AsyncCopyForm form, byte* data)
    {
        Region* shared = warp.Block.Shared;
        int bytes = 1 << form.Size;
        ulong* addresses = warp.Addresses;
        for (int lane = 0; lane < 32; lane++)
        {
            ulong register = form.ToIsNarrow ? ((uint*)(warp.R + form.To))[lane] : ((ulong*)(warp.D + form.To))[lane] & Windows.Offset;
            addresses[lane] = register + (ulong)form.ToOffset;
        }

        uint left = warp.Mask;
        while (left != 0)
        {
            uint lanes = warp.Copies.SameGroup(left);
            left &= ~lanes;
            AsyncCopy copy = warp.Copies.Start(lanes, bytes);
            copy.At = (nint)at;
            for (uint rest = lanes; rest != 0; rest &= rest - 1)
            {
                int lane = BitOperations.TrailingZeroCount(rest);
                ulong offset = addresses[lane];
                SharedAccess.Checked(warp, at, lane, offset, form.Size, "cp.async write");
                if (
                    shared->Writers != null
                    && !RaceCells.Write(
                        shared,
                        warp.SharedView,
                        warp.SharedView.Self + SharedSpace.LaneField(warp, lane),
                        offset,
                        (uint)bytes,
                        form.Size
                    )
                )
                {
                    RaceRules.Write(warp, at, lane, shared, offset, form.Size, false, false);
                }

                ByteBits.Set(shared->InFlight, offset, (ulong)bytes);
                copy.To[lane] = offset;
                new ReadOnlySpan<byte>(data + (lane * bytes), bytes).CopyTo(copy.Data.AsSpan(lane * 16));
            }

            shared->InFlightCount++;
        }

        MemoryCounters.Shared(warp, addresses, warp.Mask, bytes, true);
    }
}

/// <summary>Bytes of a lane that go to the warp's scratch instead of registers.</summary>
internal readonly unsafe struct ScratchShape<T> : IMemoryShape
    where T : struct, ISizeOfBytes
{
    public static int Size => T.Log2;

    public static void LoadLane(Warp warp, Instr* at, byte* from, int lane) =>
        Buffer.MemoryCopy(from, warp.Scratch + (lane << T.Log2), 1 << T.Log2, 1 << T.Log2);

    public static void StoreLane(Warp warp, Instr* at, byte* to, int lane) =>
        Buffer.MemoryCopy(warp.Scratch + (lane << T.Log2), to, 1 << T.Log2, 1 << T.Log2);

    public static void LoadAll(Warp warp, Instr* at, byte* from) => Buffer.MemoryCopy(from, warp.Scratch, 32 << T.Log2, 32 << T.Log2);

    public static void StoreAll(Warp warp, Instr* at, byte* to) => Buffer.MemoryCopy(warp.Scratch, to, 32 << T.Log2, 32 << T.Log2);

    public static void LoadRun(Warp warp, Instr* at, byte* from, int first, int count) =>
        Buffer.MemoryCopy(from, warp.Scratch + (first << T.Log2), count << T.Log2, count << T.Log2);

    public static void StoreRun(Warp warp, Instr* at, byte* to, int first, int count) =>
        Buffer.MemoryCopy(warp.Scratch + (first << T.Log2), to, count << T.Log2, count << T.Log2);

    public static void LoadSame(Warp warp, Instr* at, byte* from, uint lanes)
    {
        for (uint rest = lanes; rest != 0; rest &= rest - 1)
        {
            LoadLane(warp, at, from, BitOperations.TrailingZeroCount(rest));
        }
    }
}

/// <summary>A number of bytes known when code is generated.</summary>
internal interface ISizeOfBytes
{
    static abstract int Log2 { get; }
}

internal readonly struct Bytes4 : ISizeOfBytes
{
    public static int Log2 => 2;
}

internal readonly struct Bytes8 : ISizeOfBytes
{
    public static int Log2 => 3;
}

internal readonly struct Bytes16 : ISizeOfBytes
{
    public static int Log2 => 4;
}
