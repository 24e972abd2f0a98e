using CoGrpo.CudaEmulator.Ptx;

namespace CoGrpo.CudaEmulator.Compilation;

/// <summary>Which operands an instruction writes.</summary>
internal static class OperandRoles
{
    private static readonly HashSet<string> WithoutResult = new(StringComparer.Ordinal)
    {
        "st",
        "red",
        "bra",
        "brx",
        "membar",
        "fence",
        "cp",
        "prefetch",
        "prefetchu",
        "stmatrix",
        "nanosleep",
        "trap",
        "brkpt",
        "exit",
        "ret",
        "call",
        "discard",
        "applypriority",
        "pmevent",
        "setmaxnreg",
        "griddepcontrol",
    };

    /// <summary>Whether the first operand is written; no other ever is.</summary>
    public static bool HasResult(PtxInstruction instruction) =>
        instruction.Opcode switch
        {
            "bar" or "barrier" => instruction.Has(".red"),
            "wmma" => !instruction.Has(".store"),
            "mbarrier" => instruction.Has(".arrive")
                || instruction.Has(".arrive_drop")
                || instruction.Has(".test_wait")
                || instruction.Has(".try_wait")
                || instruction.Has(".pending_count"),
            string opcode => !WithoutResult.Contains(opcode),
        };

    public static IEnumerable<PtxRegister> Written(PtxInstruction instruction) =>
        HasResult(instruction) && instruction.Operands.Length > 0 ? Results(instruction.Operands[0]) : [];

    /// <summary>Registers read, the guard included.</summary>
    public static IEnumerable<PtxRegister> Read(PtxInstruction instruction)
    {
        if (instruction.Guard is not null)
        {
            yield return instruction.Guard;
        }

        for (int i = HasResult(instruction) ? 1 : 0; i < instruction.Operands.Length; i++)
        {
            foreach (PtxRegister register in Inside(instruction.Operands[i]))
            {
                yield return register;
            }
        }
    }

    private static IEnumerable<PtxRegister> Results(PtxOperand operand) => operand switch
    {
        PtxOperand.Register register => [register.Value],
        PtxOperand.Pair pair => new[] { pair.First, pair.Second }.OfType<PtxRegister>(),
        PtxOperand.Vector vector => vector.Items.SelectMany(Results),
        _ => [],
    };

    private static IEnumerable<PtxRegister> Inside(PtxOperand? operand) => operand switch
    {
        PtxOperand.Register register => [register.Value],
        PtxOperand.Pair pair => new[] { pair.First, pair.Second }.OfType<PtxRegister>(),
        PtxOperand.Vector vector => vector.Items.SelectMany(Inside),
        PtxOperand.Address address => Inside(address.Base).Concat(Inside(address.Second)),
        _ => [],
    };
}
