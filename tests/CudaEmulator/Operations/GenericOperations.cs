using System.Numerics;
using System.Runtime.CompilerServices;
using CoGrpo.CudaEmulator.Compilation;
using CoGrpo.CudaEmulator.Execution;
using CoGrpo.CudaEmulator.Memory;

namespace CoGrpo.CudaEmulator.Operations;

/// <summary>Accesses by generic address: each lane's space is known only at run time.</summary>
internal static unsafe class GenericOperations
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* Load<TShape>(Warp warp, Instr* at)
        where TShape : struct, IMemoryShape
    {
        ulong* addresses = LaneAddresses.Get(warp, at);
        uint rest = warp.Mask;
        while (rest != 0)
        {
            uint lanes = SameWindow(addresses, rest, out ulong window);
            rest &= ~lanes;
            switch (window)
            {
                case 0:
                    MemoryOperations.Load<GlobalSpace, TShape>(warp, at, addresses, lanes);
                    break;
                case Windows.Shared >> Windows.Shift:
                    StripWindow(addresses, lanes);
                    MemoryOperations.Load<SharedSpace, TShape>(warp, at, addresses, lanes);
                    break;
                case Windows.Local >> Windows.Shift:
                    StripWindow(addresses, lanes);
                    LocalOperations.Load<TShape>(warp, at, addresses, lanes);
                    break;
                case Windows.Parameter >> Windows.Shift:
                    StripWindow(addresses, lanes);
                    ParameterOperations.Load<TShape>(warp, at, addresses, lanes);
                    break;
                default:
                    int lane = BitOperations.TrailingZeroCount(lanes);
                    throw Checks.MemoryReport.NotMapped(warp, at, lane, addresses[lane], 1 << TShape.Size, "read");
            }
        }

        return at + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* Store<TShape>(Warp warp, Instr* at)
        where TShape : struct, IMemoryShape
    {
        ulong* addresses = LaneAddresses.Get(warp, at);
        uint rest = warp.Mask;
        while (rest != 0)
        {
            uint lanes = SameWindow(addresses, rest, out ulong window);
            rest &= ~lanes;
            switch (window)
            {
                case 0:
                    MemoryOperations.Store<GlobalSpace, TShape>(warp, at, addresses, lanes);
                    break;
                case Windows.Shared >> Windows.Shift:
                    StripWindow(addresses, lanes);
                    MemoryOperations.Store<SharedSpace, TShape>(warp, at, addresses, lanes);
                    break;
                case Windows.Local >> Windows.Shift:
                    StripWindow(addresses, lanes);
                    LocalOperations.Store<TShape>(warp, at, addresses, lanes);
                    break;
                case Windows.Parameter >> Windows.Shift:
                    throw warp.Fail(
                        ViolationKind.ReadOnly,
                        at,
                        BitOperations.TrailingZeroCount(lanes),
                        "write to the kernel's parameters",
                        addresses[BitOperations.TrailingZeroCount(lanes)]
                    );
                default:
                    int lane = BitOperations.TrailingZeroCount(lanes);
                    throw Checks.MemoryReport.NotMapped(warp, at, lane, addresses[lane], 1 << TShape.Size, "write");
            }
        }

        return at + 1;
    }

    /// <summary>Lanes of <paramref name="lanes"/> whose address lies in the window of the first one's.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint SameWindow(ulong* addresses, uint lanes, out ulong window)
    {
        window = addresses[BitOperations.TrailingZeroCount(lanes)] >> Windows.Shift;
        uint same = 0;
        for (uint rest = lanes; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            same |= addresses[lane] >> Windows.Shift == window ? 1u << lane : 0;
        }

        return same;
    }

    public static void StripWindow(ulong* addresses, uint lanes)
    {
        for (uint rest = lanes; rest != 0; rest &= rest - 1)
        {
            addresses[BitOperations.TrailingZeroCount(rest)] &= Windows.Offset;
        }
    }

    /// <summary>isspacep: whether address A lies in the space of Value: 0 global, 1 shared, 2 local, 3 parameters, 4 constant.</summary>
    public static Instr* IsIn(Warp warp, Instr* at)
    {
        ulong* address = (ulong*)(warp.D + at->A);
        uint result = 0;
        for (uint rest = warp.Mask; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            ulong window = address[lane] >> Windows.Shift;
            bool constant =
                window == 0 && warp.Launch.Memory.Find(address[lane]) is var region && region != null && region->Kind == RegionKind.Constant;
            bool holds = at->Value == 4 ? constant : window == (ulong)at->Value && !constant;
            result |= holds ? 1u << lane : 0;
        }

        LaneVectors.StorePredicate(warp, at->D, result);
        return at + 1;
    }
}
