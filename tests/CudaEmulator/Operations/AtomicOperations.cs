using System.Numerics;
using System.Runtime.CompilerServices;
using CoGrpo.CudaEmulator.Checks;
using CoGrpo.CudaEmulator.Compilation;
using CoGrpo.CudaEmulator.Execution;
using CoGrpo.CudaEmulator.Memory;

namespace CoGrpo.CudaEmulator.Operations;

/// <summary>
/// Atomic read-modify-write operations, lane by lane in ascending order: address A, operands B and C, old value D unless negative. Extra:
/// see the constants.
/// </summary>
internal static unsafe class AtomicOperations
{
    /// <summary>The old value is not needed to be initialised: an exchange.</summary>
    public const int WritesOnly = 1;

    /// <summary>The space is known only at run time.</summary>
    public const int Generic = 2;

    /// <summary>Shared memory.</summary>
    public const int Shared = 4;

    /// <summary>Applies an operation to the old value and the operands.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* Apply<T, TBank, TSize>(Warp warp, Instr* at)
        where T : struct, ILaneOperation
        where TBank : struct, IBank
        where TSize : struct, ISize
    {
        ulong* addresses = LaneAddresses.Get(warp, at);
        byte* b = TBank.Slot(warp, at->B);
        byte* c = TBank.Slot(warp, at->C);
        byte* d = TBank.Slot(warp, at->D);
        if ((at->Flags & AccessFlags.Release) != 0)
        {
            Ordering.Fence(warp);
        }

        for (uint rest = warp.Mask; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            ulong address = addresses[lane];
            bool shared = (at->Extra & Shared) != 0;
            if ((at->Extra & Generic) != 0)
            {
                ulong window = address >> Windows.Shift;
                shared = window == Windows.Shared >> Windows.Shift;
                if (window != 0 && !shared)
                {
                    throw warp.Fail(ViolationKind.OutOfBounds, at, lane, "atomic operation on memory that is neither global nor shared", address);
                }

                address &= Windows.Offset;
            }

            ulong x = TBank.Load(b, lane);
            ulong y = TBank.Load(c, lane);
            ulong old = shared ? OnShared<T, TSize>(warp, at, lane, address, x, y) : OnGlobal<T, TSize>(warp, at, lane, address, x, y);
            if (at->D >= 0)
            {
                TBank.Store(d, lane, old);
            }
        }

        warp.Counters->Atomics += BitOperations.PopCount(warp.Mask);
        if ((at->Flags & AccessFlags.Acquire) != 0)
        {
            Ordering.Fence(warp);
        }

        return at + 1;
    }

    private static ulong OnShared<T, TSize>(Warp warp, Instr* at, int lane, ulong offset, ulong x, ulong y)
        where T : struct, ILaneOperation
        where TSize : struct, ISize
    {
        Region* region = SharedAccess.Checked(warp, at, lane, offset, TSize.Log2, "atomic operation");
        Note(warp, at, lane, region, offset, TSize.Log2);
        Ordering.TellShared(warp, offset, false);
        byte* place = region->Host + offset;
        ulong old = TSize.Load(place);
        TSize.Store(place, T.Apply(old, x, y));
        Ordering.LookShared(warp, offset);
        return old;
    }

    private static ulong OnGlobal<T, TSize>(Warp warp, Instr* at, int lane, ulong address, ulong x, ulong y)
        where T : struct, ILaneOperation
        where TSize : struct, ISize
    {
        Region* region = GlobalAccess.Checked(warp, at, lane, address, TSize.Log2, "atomic operation");
        ulong offset = address - region->Start;
        if (region->Kind == RegionKind.Constant)
        {
            throw warp.Fail(
                ViolationKind.ReadOnly,
                at,
                lane,
                $"atomic operation on constant memory, in {MemoryReport.Name(warp, region, offset)}",
                address
            );
        }

        Note(warp, at, lane, region, offset, TSize.Log2);

        // What is handed on must be there before the value that tells of it.
        Ordering.Tell(warp, address, false);
        byte* place = region->Host + offset;
        ulong old;
        do
        {
            old = TSize.Load(place);
        }
        while (!TSize.TryReplace(place, old, T.Apply(old, x, y)));
        Ordering.Look(warp, address);
        return old;
    }

    private static void Note(Warp warp, Instr* at, int lane, Region* region, ulong offset, int size)
    {
        uint bytes = 1u << size;
        if (region->Written != null)
        {
            if ((at->Extra & WritesOnly) == 0 && !ByteBits.AllSet(region->Written, offset, bytes))
            {
                throw MemoryReport.NotWritten(warp, at, lane, region, offset, (int)bytes);
            }

            ByteBits.Set(region->Written, offset, bytes);
        }

        if (region->Writers != null)
        {
            RaceRules.Write(warp, at, lane, region, offset, size, true, false);
        }
    }
}

/// <summary>The width of an atomic operation.</summary>
internal unsafe interface ISize
{
    static abstract int Log2 { get; }

    static abstract ulong Load(byte* place);

    static abstract void Store(byte* place, ulong value);

    /// <summary>Stores a value if the old one is still there.</summary>
    static abstract bool TryReplace(byte* place, ulong old, ulong value);
}

/// <summary>16 bits.</summary>
internal readonly unsafe struct Size16 : ISize
{
    public static int Log2 => 1;

    public static ulong Load(byte* place) => Volatile.Read(ref *(ushort*)place);

    public static void Store(byte* place, ulong value) => *(ushort*)place = (ushort)value;

    public static bool TryReplace(byte* place, ulong old, ulong value) =>
        Interlocked.CompareExchange(ref *(ushort*)place, (ushort)value, (ushort)old) == (ushort)old;
}

/// <summary>32 bits.</summary>
internal readonly unsafe struct Size32 : ISize
{
    public static int Log2 => 2;

    public static ulong Load(byte* place) => Volatile.Read(ref *(uint*)place);

    public static void Store(byte* place, ulong value) => *(uint*)place = (uint)value;

    public static bool TryReplace(byte* place, ulong old, ulong value) =>
        Interlocked.CompareExchange(ref *(uint*)place, (uint)value, (uint)old) == (uint)old;
}

/// <summary>64 bits.</summary>
internal readonly unsafe struct Size64 : ISize
{
    public static int Log2 => 3;

    public static ulong Load(byte* place) => Volatile.Read(ref *(ulong*)place);

    public static void Store(byte* place, ulong value) => *(ulong*)place = value;

    public static bool TryReplace(byte* place, ulong old, ulong value) => Interlocked.CompareExchange(ref *(ulong*)place, value, old) == old;
}

// The functions of atomics that are no arithmetic of their own: old value a, operands b and c.
#pragma warning disable SA1649, SA1402
internal readonly struct Exchange : ILaneOperation
{
    public static ulong Apply(ulong a, ulong b, ulong c) => b;
}

internal readonly struct CompareAndSwap : ILaneOperation
{
    public static ulong Apply(ulong a, ulong b, ulong c) => a == b ? c : a;
}

internal readonly struct Increment : ILaneOperation
{
    public static ulong Apply(ulong a, ulong b, ulong c) => a >= b ? 0 : a + 1;
}

internal readonly struct Decrement : ILaneOperation
{
    public static ulong Apply(ulong a, ulong b, ulong c) => a == 0 || a > b ? b : a - 1;
}

internal readonly struct AndLane : ILaneOperation
{
    public static ulong Apply(ulong a, ulong b, ulong c) => a & b;
}

internal readonly struct OrLane : ILaneOperation
{
    public static ulong Apply(ulong a, ulong b, ulong c) => a | b;
}

internal readonly struct XorLane : ILaneOperation
{
    public static ulong Apply(ulong a, ulong b, ulong c) => a ^ b;
}

internal readonly struct MinUnsignedLane : ILaneOperation
{
    public static ulong Apply(ulong a, ulong b, ulong c) => Math.Min(a, b);
}

internal readonly struct MaxUnsignedLane : ILaneOperation
{
    public static ulong Apply(ulong a, ulong b, ulong c) => Math.Max(a, b);
}

internal readonly struct MinSignedLane64 : ILaneOperation
{
    public static ulong Apply(ulong a, ulong b, ulong c) => (ulong)Math.Min((long)a, (long)b);
}

internal readonly struct MaxSignedLane64 : ILaneOperation
{
    public static ulong Apply(ulong a, ulong b, ulong c) => (ulong)Math.Max((long)a, (long)b);
}

internal readonly struct AddSingleLane : ILaneOperation
{
    public static ulong Apply(ulong a, ulong b, ulong c)
    {
        float sum = BitConverter.UInt32BitsToSingle((uint)a) + BitConverter.UInt32BitsToSingle((uint)b);
        return float.IsNaN(sum) ? 0x7FFFFFFF : BitConverter.SingleToUInt32Bits(sum);
    }
}

internal readonly struct AddRealLane : ILaneOperation
{
    public static ulong Apply(ulong a, ulong b, ulong c) =>
        BitConverter.DoubleToUInt64Bits(BitConverter.UInt64BitsToDouble(a) + BitConverter.UInt64BitsToDouble(b));
}
#pragma warning restore SA1649, SA1402
