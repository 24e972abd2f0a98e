using CoGrpo.CudaEmulator.Operations;
using CoGrpo.CudaEmulator.Ptx;

namespace CoGrpo.CudaEmulator.Compilation;

/// <summary>cp.async and mbarrier.</summary>
internal sealed unsafe partial class FunctionBuilder
{
    private void Asynchronous(PtxInstruction i)
    {
        if (i.Opcode == "mbarrier")
        {
            CountedBarrier(i);
        }
        else if (i.Has(".bulk") || !i.Has(".async"))
        {
            throw No("bulk copies are not executed");
        }
        else if (i.Has(".commit_group"))
        {
            Emit(&AsyncOperations.Commit);
        }
        else if (i.Has(".wait_all"))
        {
            Emit(&AsyncOperations.Wait).Value = -1;
        }
        else if (i.Has(".wait_group"))
        {
            long left = i.Operands is [PtxOperand.Immediate immediate] ? (long)immediate.Bits : throw No("wanted an immediate number of groups");
            Emit(&AsyncOperations.Wait).Value = left;
        }
        else if (i.Modifiers is [".async", ".mbarrier", ..])
        {
            ref Instr arrive = ref EmitAccess(i, &CountedBarriers.Arrive, (PtxOperand.Address)i.Operands[0], [-1, -1]);
            arrive.Extra = CountedBarriers.AfterCopies | (i.Has(".noinc") ? 0 : CountedBarriers.RaisesFirst);
            _kernel.HasFences = true;
        }
        else
        {
            Copy(i);
        }
    }

    private void Copy(PtxInstruction i)
    {
        int size = i.Operands[2] is PtxOperand.Immediate { Bits: 4 or 8 or 16 } bytes
            ? System.Numerics.BitOperations.Log2(bytes.Bits)
            : throw No("wanted 4, 8 or 16 bytes");
        PtxOperand? fourth = i.Operands.Length > 3 && !(i.Operands[3] is PtxOperand.Register { Value.Type.Bytes: 8 }) ? i.Operands[3] : null;
        uint flip = 0;
        bool ignores = fourth is PtxOperand.Register { Value.Type.IsPredicate: true };
        int ignore = ignores ? Predicate(fourth!, out flip) : -1;
        int sourceBytes = fourth is not null && !ignores ? Word(fourth, U32) : -1;
        (int to, bool narrow, long offset) = AddressOf((PtxOperand.Address)i.Operands[0]);
        ref Instr copy = ref EmitAccess(i, &AsyncOperations.Copy, (PtxOperand.Address)i.Operands[1], []);
        copy.Extra = _kernel.Objects.Count;
        _kernel.Objects.Add(
            new AsyncCopyForm
            {
                Size = size,
                To = to,
                ToIsNarrow = narrow,
                ToOffset = offset,
                SourceBytes = sourceBytes,
                Ignore = ignore,
                IgnoreFlip = flip,
            }
        );
    }

    private void CountedBarrier(PtxInstruction i)
    {
        _kernel.HasFences = true;
        if (i.Has(".expect_tx") || i.Has(".complete_tx") || (SpaceOf(i) is not PtxSpace.Shared && !i.Has(".pending_count")))
        {
            throw No("the form is not executed");
        }

        if (i.Has(".init") || i.Has(".inval"))
        {
            int count = i.Has(".init") ? Word(i.Operands[1], U32) : -1;
            EmitAccess(i, &CountedBarriers.Init, (PtxOperand.Address)i.Operands[0], [0, count]);
        }
        else if (i.Has(".arrive") || i.Has(".arrive_drop"))
        {
            int state = i.Operands[0] is PtxOperand.Sink ? -1 : DoubleResult(i.Operands[0]);
            int count = i.Operands.Length > 2 ? Word(i.Operands[2], U32) : -1;
            EmitAccess(i, &CountedBarriers.Arrive, (PtxOperand.Address)i.Operands[1], [state, count]).Extra = i.Has(".arrive_drop")
                ? CountedBarriers.Drops
                : 0;
        }
        else if (i.Has(".test_wait") || i.Has(".try_wait"))
        {
            bool parity = i.Has(".parity");
            int state = parity ? Word(i.Operands[2], U32) : Double(i.Operands[2], U64);
            int result = PredicateResult(i.Operands[0]);
            EmitAccess(i, &CountedBarriers.Test, (PtxOperand.Address)i.Operands[1], [result, 0, state]).Extra = parity ? 1 : 0;
        }
        else
        {
            Emit(&CountedBarriers.Pending, WordResult(i.Operands[0]), 0, 0, Double(i.Operands[1], U64));
        }
    }
}
