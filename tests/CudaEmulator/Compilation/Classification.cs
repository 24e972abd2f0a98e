using CoGrpo.CudaEmulator.Ptx;

namespace CoGrpo.CudaEmulator.Compilation;

/// <summary>Which class an instruction counts as.</summary>
internal static class Classification
{
    public static InstructionClass Of(PtxInstruction instruction) => instruction.Opcode switch
    {
        "ld" or "st" or "ldu" or "prefetch" or "prefetchu" => Memory(instruction),
        "atom" or "red" => InstructionClass.Atomic,
        "ldmatrix" or "stmatrix" => InstructionClass.Shared,
        "mma" => InstructionClass.Tensor,
        "wmma" => instruction.Has(".mma") ? InstructionClass.Tensor : instruction.Has(".global") ? InstructionClass.Global : InstructionClass.Shared,
        "cp" or "mbarrier" => InstructionClass.AsyncCopy,
        "shfl" or "vote" or "match" or "redux" or "activemask" or "elect" or "movmatrix" => InstructionClass.Warp,
        "bar" or "barrier" or "membar" or "fence" => InstructionClass.Barrier,
        "bra" or "brx" or "call" or "ret" or "exit" or "trap" => InstructionClass.Control,
        "setp" or "set" or "selp" or "slct" or "testp" => InstructionClass.Comparison,
        "cvt" or "cvta" or "isspacep" => instruction.Opcode == "cvt" ? InstructionClass.Conversion : InstructionClass.Move,
        "mov" => InstructionClass.Move,
        "rcp" or "sqrt" or "rsqrt" or "sin" or "cos" or "lg2" or "ex2" or "tanh" => InstructionClass.Special,
        "add" or "sub" or "mul" or "mad" or "fma" or "div" or "min" or "max" or "abs" or "neg" or "copysign" => Arithmetic(instruction),
        "nanosleep" or "brkpt" or "pmevent" => InstructionClass.Other,
        _ => instruction.Types is [{ IsPredicate: true }, ..] ? InstructionClass.Comparison : InstructionClass.Integer,
    };

    private static InstructionClass Memory(PtxInstruction instruction)
    {
        foreach (string modifier in instruction.Modifiers)
        {
            switch (modifier)
            {
                case ".shared" or ".shared::cta" or ".shared::cluster":
                    return InstructionClass.Shared;
                case ".local":
                    return InstructionClass.Local;
                case ".const" or ".param":
                    return InstructionClass.Constant;
                default:
                    break;
            }
        }

        return InstructionClass.Global;
    }

    private static InstructionClass Arithmetic(PtxInstruction instruction) => instruction.Types is [{ IsFloat: true } type, ..]
        ? type.ElementBytes switch { 8 => InstructionClass.Float64, 4 => InstructionClass.Float32, _ => InstructionClass.Half }
        : InstructionClass.Integer;
}
