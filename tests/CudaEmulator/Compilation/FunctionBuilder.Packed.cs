using CoGrpo.CudaEmulator.Operations;
using CoGrpo.CudaEmulator.Ptx;

namespace CoGrpo.CudaEmulator.Compilation;

/// <summary>Integer operations on the two halves or four bytes of words.</summary>
internal sealed unsafe partial class FunctionBuilder
{
    private static readonly string[] PackedRelations = [".eq", ".ne", ".lt", ".le", ".gt", ".ge"];

    private void PackedInteger(PtxInstruction i)
    {
        bool compares = i.Opcode.StartsWith("vset", StringComparison.Ordinal);
        PackedOperation operation = i.Opcode[1..^1] switch
        {
            "add" => PackedOperation.Add,
            "sub" => PackedOperation.Subtract,
            "absdiff" => PackedOperation.Difference,
            "min" => PackedOperation.Least,
            "max" => PackedOperation.Most,
            _ => PackedOperation.Equal + Array.FindIndex(PackedRelations, i.Has),
        };
        if (i.Types.Length != (compares ? 2 : 3) || (compares && operation < PackedOperation.Equal))
        {
            throw No("wanted the types of the operands and a relation where it compares");
        }

        int a = Word(i.Operands[1], U32);
        int b = Word(i.Operands[2], U32);
        int c = i.Has(".add") ? Word(i.Operands[3], U32) : Constant(0);
        ref Instr packed = ref Emit(&PackedHandlers.Apply, WordResult(i.Operands[0]), a, b, c);
        (packed.E, packed.F) = ((int)operation, i.Opcode[^1] == '2' ? 16 : 8);
        packed.Extra =
            (!compares && i.Types[0].IsSigned ? PackedHandlers.SignedResult : 0)
            | (i.Types[^2].IsSigned ? PackedHandlers.SignedA : 0)
            | (i.Types[^1].IsSigned ? PackedHandlers.SignedB : 0)
            | (i.Has(".sat") ? PackedHandlers.Saturates : 0)
            | (i.Has(".add") ? PackedHandlers.Sums : 0);
    }
}
