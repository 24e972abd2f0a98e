using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using CoGrpo.CudaEmulator.Compilation;
using CoGrpo.CudaEmulator.Execution;

namespace CoGrpo.CudaEmulator.Operations;

/// <summary>Instructions by which lanes of a warp exchange values. All wait until the lanes that their mask names have come.</summary>
internal static unsafe class WarpOperations
{
    public const int Up = 0;
    public const int Down = 1;
    public const int Butterfly = 2;
    public const int Index = 3;

    /// <summary>What a lane receives from one that has ended or never was.</summary>
    private const uint NoValue = uint.MaxValue;

    /// <summary>shfl.sync: value A, lane B, clamp C, mask F; result D, predicate E unless negative; Extra is the mode.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* Shuffle(Warp warp, Instr* at)
    {
        uint* masks = (uint*)(warp.R + at->F);
        Instr* waits = Gather(warp, at, masks, "shfl.sync");
        if (waits != null)
        {
            return waits;
        }

        uint* value = (uint*)(warp.R + at->A);
        uint* by = (uint*)(warp.R + at->B);
        uint* clamp = (uint*)(warp.R + at->C);
        uint* result = stackalloc uint[32];
        uint inside = 0;
        for (uint rest = warp.Active; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            int b = (int)(by[lane] & 31);
            int segment = (int)(clamp[lane] >> 8) & 31;
            int last = (lane & segment) | ((int)(clamp[lane] & 31) & ~segment);
            int from = at->Extra switch
            {
                Up => lane - b,
                Down => lane + b,
                Butterfly => lane ^ b,
                _ => (lane & segment) | (b & ~segment),
            };
            bool good = at->Extra == Up ? from >= last : from <= last;
            from = good ? from : lane;
            inside |= good ? 1u << lane : 0;
            uint bit = 1u << from;
            if ((warp.Dead & bit) != 0)
            {
                result[lane] = NoValue;
            }
            else if ((masks[lane] & bit) == 0)
            {
                throw warp.Fail(
                    ViolationKind.DivergentWarp,
                    at,
                    lane,
                    $"shfl.sync takes the value of lane {from}, which is not among the lanes of its mask 0x{masks[lane]:x8}"
                );
            }
            else
            {
                result[lane] = value[from];
            }
        }

        LaneVectors.Store(warp, at->D, Vector512.Load(result), Vector512.Load(result + 16));
        if (at->E >= 0)
        {
            LaneVectors.StorePredicate(warp, at->E, inside);
        }

        return at + 1;
    }

    /// <summary>vote.sync.ballot: predicate A flipped by Value, mask F, result D.</summary>
    public static Instr* Ballot(Warp warp, Instr* at)
    {
        uint* masks = (uint*)(warp.R + at->F);
        Instr* waits = Gather(warp, at, masks, "vote.sync");
        if (waits != null)
        {
            return waits;
        }

        Vector512<uint> votes = Vector512.Create((warp.P[at->A] ^ (uint)at->Value) & warp.Active);
        LaneVectors.Store(warp, at->D, votes & Vector512.Load(masks), votes & Vector512.Load(masks + 16));
        return at + 1;
    }

    /// <summary>vote.sync.all, .any, .uni (Extra 0, 1, 2): predicate A flipped by Value, mask F, result predicate D.</summary>
    public static Instr* Vote(Warp warp, Instr* at)
    {
        uint* masks = (uint*)(warp.R + at->F);
        Instr* waits = Gather(warp, at, masks, "vote.sync");
        if (waits != null)
        {
            return waits;
        }

        uint votes = warp.P[at->A] ^ (uint)at->Value;
        uint result = 0;
        for (uint rest = warp.Active; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            uint members = masks[lane] & warp.Active;
            uint yes = votes & members;
            bool holds = at->Extra switch { 0 => yes == members, 1 => yes != 0, _ => yes == 0 || yes == members };
            result |= holds ? 1u << lane : 0;
        }

        LaneVectors.StorePredicate(warp, at->D, result);
        return at + 1;
    }

    /// <summary>match.sync: value A (32 or 64 bits), mask F, result D; Extra 1: all must agree, predicate E unless negative.</summary>
    public static Instr* Match<TBank>(Warp warp, Instr* at)
        where TBank : struct, IBank
    {
        uint* masks = (uint*)(warp.R + at->F);
        Instr* waits = Gather(warp, at, masks, "match.sync");
        if (waits != null)
        {
            return waits;
        }

        byte* value = TBank.Slot(warp, at->A);
        uint* result = stackalloc uint[32];
        uint agreed = 0;
        for (uint rest = warp.Active; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            uint members = masks[lane] & warp.Active;
            uint same = 0;
            for (uint left = members; left != 0; left &= left - 1)
            {
                int other = BitOperations.TrailingZeroCount(left);
                same |= TBank.Load(value, other) == TBank.Load(value, lane) ? 1u << other : 0;
            }

            bool all = same == members;
            result[lane] = at->Extra == 0 || all ? same : 0;
            agreed |= all ? 1u << lane : 0;
        }

        LaneVectors.Store(warp, at->D, Vector512.Load(result), Vector512.Load(result + 16));
        if (at->E >= 0)
        {
            LaneVectors.StorePredicate(warp, at->E, agreed);
        }

        return at + 1;
    }

    /// <summary>redux.sync: value A, mask F, result D.</summary>
    public static Instr* Reduce<T>(Warp warp, Instr* at)
        where T : struct, IWordOperation
    {
        uint* masks = (uint*)(warp.R + at->F);
        Instr* waits = Gather(warp, at, masks, "redux.sync");
        if (waits != null)
        {
            return waits;
        }

        uint* value = (uint*)(warp.R + at->A);
        uint* result = stackalloc uint[32];
        uint done = 0;
        for (uint rest = warp.Active; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            if ((done >> lane & 1) != 0)
            {
                continue;
            }

            uint members = masks[lane] & warp.Active;
            uint sum = value[lane];
            for (uint left = members & ~(1u << lane); left != 0; left &= left - 1)
            {
                sum = T.Apply(Vector512.CreateScalarUnsafe(sum), Vector512.CreateScalarUnsafe(value[BitOperations.TrailingZeroCount(left)]), default)
                    .ToScalar();
            }

            for (uint left = members; left != 0; left &= left - 1)
            {
                result[BitOperations.TrailingZeroCount(left)] = sum;
            }

            done |= members;
        }

        LaneVectors.Store(warp, at->D, Vector512.Load(result), Vector512.Load(result + 16));
        return at + 1;
    }

    /// <summary>activemask: the lanes that are together now.</summary>
    public static Instr* ActiveMask(Warp warp, Instr* at)
    {
        Vector512<uint> value = Vector512.Create(warp.Active);
        LaneVectors.Store(warp, at->D, value, value);
        return at + 1;
    }

    /// <summary>elect.sync: mask F; result D (unless negative) the elected lane, predicate E set there.</summary>
    public static Instr* Elect(Warp warp, Instr* at)
    {
        uint* masks = (uint*)(warp.R + at->F);
        Instr* waits = Gather(warp, at, masks, "elect.sync");
        if (waits != null)
        {
            return waits;
        }

        uint leader = (uint)Warp.FirstLane(masks[Warp.FirstLane(warp.Active)] & warp.Active);
        if (at->D >= 0)
        {
            Vector512<uint> value = Vector512.Create(leader);
            LaneVectors.Store(warp, at->D, value, value);
        }

        LaneVectors.StorePredicate(warp, at->E, 1u << (int)leader);
        return at + 1;
    }

    /// <summary>
    /// Makes sure that every lane named by the masks of the active lanes is here; else waits for them.
    /// </summary>
    /// <returns>Null when all are here; else where the warp goes on meanwhile.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Instr* Gather(Warp warp, Instr* at, uint* masks, string what) => IsWhole(warp, masks) ? null : GatherSome(warp, at, masks, what);

    /// <summary>Whether all live lanes are here and name all lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsWhole(Warp warp, uint* masks)
    {
        Vector512<uint> all = Vector512<uint>.AllBitsSet;
        return warp.Active == ~warp.Dead && Vector512.LoadAligned(masks) == all && Vector512.LoadAligned(masks + 16) == all;
    }

    /// <summary>Whether all active lanes name the same lanes.</summary>
    public static bool Uniform(Warp warp, uint* masks, out uint mask)
    {
        mask = masks[Warp.FirstLane(warp.Active)];
        for (uint rest = warp.Active; rest != 0; rest &= rest - 1)
        {
            if (masks[BitOperations.TrailingZeroCount(rest)] != mask)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Makes sure that the active lanes are among those they name.</summary>
    public static void Members(Warp warp, Instr* at, uint mask)
    {
        if ((warp.Active & ~mask) != 0 && warp.Launch.Options.Checks.HasFlag(EmulatorCheck.Divergence))
        {
            throw warp.Fail(
                ViolationKind.DivergentWarp,
                at,
                Warp.FirstLane(warp.Active & ~mask),
                $"the lane executes bar.warp.sync without being in its own mask 0x{mask:x8}"
            );
        }
    }

    /// <summary>Makes sure that the whole warp is together, as instructions on matrices need.</summary>
    /// <returns>As <see cref="Gather"/>.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Instr* WholeWarp(Warp warp, Instr* at, string what) => warp.Active == uint.MaxValue ? null : GatherWhole(warp, at, what);

    private static Instr* GatherWhole(Warp warp, Instr* at, string what)
    {
        if (warp.Dead != 0)
        {
            throw warp.Fail(
                ViolationKind.DivergentWarp,
                at,
                Warp.FirstLane(warp.Active),
                $"{what} needs all 32 lanes; lanes 0x{warp.Dead:x8} have ended or do not exist"
            );
        }

        return warp.AwaitLanes(at, uint.MaxValue, what);
    }

    private static Instr* GatherSome(Warp warp, Instr* at, uint* masks, string what)
    {
        uint wanted = 0;
        for (uint rest = warp.Active; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            wanted |= masks[lane];
            if ((masks[lane] >> lane & 1) == 0 && warp.Launch.Options.Checks.HasFlag(EmulatorCheck.Divergence))
            {
                throw warp.Fail(ViolationKind.DivergentWarp, at, lane, $"the lane executes {what} without being in its own mask 0x{masks[lane]:x8}");
            }
        }

        return (wanted & ~warp.Dead & ~warp.Active) == 0 ? null : warp.AwaitLanes(at, wanted, what);
    }
}
