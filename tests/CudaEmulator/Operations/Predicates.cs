using System.Runtime.CompilerServices;
using CoGrpo.CudaEmulator.Compilation;
using CoGrpo.CudaEmulator.Execution;

namespace CoGrpo.CudaEmulator.Operations;

/// <summary>How a comparison's result is combined with another predicate.</summary>
internal enum PredicateJoin
{
    None,
    And,
    Or,
    Xor,
}

/// <summary>Predicates: one bit per lane, all lanes at once.</summary>
internal static unsafe class Predicates
{
    /// <summary>
    /// Stores a comparison's result: joined with predicate C (flipped by Value) as Extra says, into D; and the join of the opposite into E where
    /// that is not negative. D may be negative for no one.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Finish(Warp warp, Instr* at, uint result)
    {
        if (at->Extra == 0 && at->E < 0)
        {
            LaneVectors.StorePredicate(warp, at->D, result);
            return;
        }

        FinishJoined(warp, at, result);
    }

    public static Instr* And(Warp warp, Instr* at)
    {
        LaneVectors.StorePredicate(warp, at->D, (warp.P[at->A] ^ (uint)at->E) & (warp.P[at->B] ^ (uint)at->F));
        return at + 1;
    }

    public static Instr* Or(Warp warp, Instr* at)
    {
        LaneVectors.StorePredicate(warp, at->D, (warp.P[at->A] ^ (uint)at->E) | (warp.P[at->B] ^ (uint)at->F));
        return at + 1;
    }

    public static Instr* Xor(Warp warp, Instr* at)
    {
        LaneVectors.StorePredicate(warp, at->D, warp.P[at->A] ^ (uint)at->E ^ warp.P[at->B] ^ (uint)at->F);
        return at + 1;
    }

    /// <summary>A, flipped by E.</summary>
    public static Instr* Move(Warp warp, Instr* at)
    {
        LaneVectors.StorePredicate(warp, at->D, warp.P[at->A] ^ (uint)at->E);
        return at + 1;
    }

    private static void FinishJoined(Warp warp, Instr* at, uint result)
    {
        uint other = at->Extra == 0 ? 0 : warp.P[at->C] ^ (uint)at->Value;
        uint opposite = ~result;
        switch ((PredicateJoin)at->Extra)
        {
            case PredicateJoin.And:
                (result, opposite) = (result & other, opposite & other);
                break;
            case PredicateJoin.Or:
                (result, opposite) = (result | other, opposite | other);
                break;
            case PredicateJoin.Xor:
                (result, opposite) = (result ^ other, opposite ^ other);
                break;
            default:
                break;
        }

        if (at->D >= 0)
        {
            LaneVectors.StorePredicate(warp, at->D, result);
        }

        if (at->E >= 0)
        {
            LaneVectors.StorePredicate(warp, at->E, opposite);
        }
    }
}
