using CoGrpo.CudaEmulator.Operations;
using CoGrpo.CudaEmulator.Ptx;
using unsafe Handler = delegate*<CoGrpo.CudaEmulator.Execution.Warp, CoGrpo.CudaEmulator.Compilation.Instr*, CoGrpo.CudaEmulator.Compilation.Instr*>;

namespace CoGrpo.CudaEmulator.Compilation;

/// <summary>What threads do together: barriers, fences, shuffles, votes.</summary>
internal sealed unsafe partial class FunctionBuilder
{
    private void Together(PtxInstruction i)
    {
        switch (i.Opcode)
        {
            case "bar" or "barrier":
                Barrier(i);
                break;
            case "membar" or "fence":
                _kernel.HasFences = true;
                Emit(&Ordering.Fence);
                break;
            case "nanosleep":
                Emit(&ClockOperations.Sleep);
                break;
            case "activemask":
                Emit(&WarpOperations.ActiveMask, WordResult(i.Operands[0]));
                break;
            case "shfl":
                Shuffle(i);
                break;
            case "vote":
                Vote(i);
                break;
            case "match":
                Match(i);
                break;
            case "redux":
                Reduce(i);
                break;
            default:
                (PtxRegister? leader, PtxRegister? elected) = i.Operands[0] is PtxOperand.Pair pair
                    ? (pair.First, pair.Second)
                    : throw No("wanted a register and a predicate");
                int mask = Word(i.Operands[1], U32);
                ref Instr elect = ref Emit(&WarpOperations.Elect, leader is null ? -1 : _slots.SlotOf(leader) * WordBytes);
                elect.E = elected is null ? _slots.Counts[(int)Bank.Predicate] : PredicateSlot(elected);
                elect.F = mask;
                break;
        }
    }

    private void Barrier(PtxInstruction i)
    {
        if (i.Has(".warp"))
        {
            Emit(&BarrierOperations.Lanes, 0, Word(i.Operands[0], U32));
            return;
        }

        if (i.Has(".cluster"))
        {
            throw No("clusters are not executed");
        }

        if (!i.Has(".red"))
        {
            int number = Word(i.Operands[0], U32);
            int count = i.Operands.Length > 1 ? Word(i.Operands[1], U32) : -1;
            ref Instr barrier = ref Emit(&BarrierOperations.Block, 0, number, count);
            barrier.Flags = BarrierOperations.NoReduction;
            barrier.Extra = i.Has(".arrive") ? BarrierOperations.ArriveOnly : 0;
            return;
        }

        int id = Word(i.Operands[1], U32);
        int threads = i.Operands.Length > 3 ? Word(i.Operands[2], U32) : -1;
        int predicate = Predicate(i.Operands[^1], out uint flip);
        bool counts = i.Has(".popc");
        ref Instr reduction = ref Emit(
            &BarrierOperations.Block,
            counts ? WordResult(i.Operands[0]) : PredicateResult(i.Operands[0]),
            id,
            threads,
            predicate
        );
        reduction.Value = flip;
        reduction.Flags = counts ? BarrierOperations.Count : i.Has(".and") ? BarrierOperations.AllOf : BarrierOperations.AnyOf;
    }

    private void Shuffle(PtxInstruction i)
    {
        if (!i.Has(".sync"))
        {
            throw No("shfl without .sync does not exist from sm_70 on");
        }

        (PtxOperand to, int inside) = i.Operands[0] is PtxOperand.Pair pair
            ? (
                pair.First is null ? new PtxOperand.Sink() : (PtxOperand)new PtxOperand.Register(pair.First),
                pair.Second is null ? -1 : PredicateSlot(pair.Second)
            )
            : (i.Operands[0], -1);
        int a = Word(i.Operands[1], U32);
        int b = Word(i.Operands[2], U32);
        int c = Word(i.Operands[3], U32);
        int mask = Word(i.Operands[4], U32);
        ref Instr shuffle = ref Emit(&WarpOperations.Shuffle, WordResult(to), a, b, c);
        shuffle.E = inside;
        shuffle.F = mask;
        shuffle.Extra =
            i.Has(".up") ? WarpOperations.Up
            : i.Has(".down") ? WarpOperations.Down
            : i.Has(".bfly") ? WarpOperations.Butterfly
            : WarpOperations.Index;
    }

    private void Vote(PtxInstruction i)
    {
        if (!i.Has(".sync"))
        {
            throw No("vote without .sync does not exist from sm_70 on");
        }

        int predicate = Predicate(i.Operands[1], out uint flip);
        int mask = Word(i.Operands[2], U32);
        bool ballot = i.Has(".ballot");
        ref Instr vote = ref Emit(
            ballot ? &WarpOperations.Ballot : &WarpOperations.Vote,
            ballot ? WordResult(i.Operands[0]) : PredicateResult(i.Operands[0]),
            predicate
        );
        vote.Value = flip;
        vote.F = mask;
        vote.Extra = i.Has(".all") ? 0 : i.Has(".any") ? 1 : 2;
    }

    private void Match(PtxInstruction i)
    {
        bool wide = i.Types[0].Bytes == 8;
        (PtxOperand to, int agreed) = i.Operands[0] is PtxOperand.Pair pair
            ? (
                pair.First is null ? new PtxOperand.Sink() : (PtxOperand)new PtxOperand.Register(pair.First),
                pair.Second is null ? -1 : PredicateSlot(pair.Second)
            )
            : (i.Operands[0], -1);
        int value = wide ? Double(i.Operands[1], U64) : Word(i.Operands[1], U32);
        int mask = Word(i.Operands[2], U32);
        ref Instr match = ref Emit(wide ? &WarpOperations.Match<Doubles> : &WarpOperations.Match<Words>, WordResult(to), value);
        match.E = agreed;
        match.F = mask;
        match.Extra = i.Has(".all") ? 1 : 0;
    }

    private void Reduce(PtxInstruction i)
    {
        Handler handler = (i.Modifiers.First(m => m is ".add" or ".min" or ".max" or ".and" or ".or" or ".xor"), i.Types[0].IsSigned) switch
        {
            (".add", _) => &WarpOperations.Reduce<Add>,
            (".min", true) => &WarpOperations.Reduce<MinSigned>,
            (".min", false) => &WarpOperations.Reduce<MinUnsigned>,
            (".max", true) => &WarpOperations.Reduce<MaxSigned>,
            (".max", false) => &WarpOperations.Reduce<MaxUnsigned>,
            (".and", _) => &WarpOperations.Reduce<And>,
            (".or", _) => &WarpOperations.Reduce<Or>,
            _ => &WarpOperations.Reduce<Xor>,
        };
        int value = Word(i.Operands[1], U32);
        int mask = Word(i.Operands[2], U32);
        Emit(handler, WordResult(i.Operands[0]), value).F = mask;
    }
}
