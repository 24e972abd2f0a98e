using CoGrpo.CudaEmulator.Ptx;

namespace CoGrpo.CudaEmulator.Compilation;

/// <summary>
/// Registers that are only another name for a constant, a special register, a kernel parameter or another register: those written once, by
/// a plain move. Each such move is dropped and its register replaced by what it stands for. PTX compilers write in static single
/// assignment form, where the one definition comes before every use on every path; that makes this sound.
/// </summary>
internal sealed class Aliases
{
    private readonly Dictionary<PtxRegister, PtxOperand> _meaning = [];
    private readonly HashSet<PtxInstruction> _dropped = [];

    public static Aliases Of(PtxFunction function, IEnumerable<BasicBlock> blocks, Func<string, bool> isConstantAddress)
    {
        Aliases aliases = new();
        List<PtxInstruction> all = [.. blocks.SelectMany(block => block.Body.Concat(block.EndInstruction is { } end ? [end] : []))];
        Dictionary<PtxRegister, int> definitions = [];
        foreach (PtxRegister register in all.SelectMany(OperandRoles.Written))
        {
            definitions[register] = definitions.GetValueOrDefault(register) + 1;
        }

        foreach (PtxInstruction instruction in all)
        {
            if (instruction.Guard is null && instruction.Operands is [PtxOperand.Register { Value: { } to }, { } from] && definitions[to] == 1
                && Meaning(function, instruction, to, from, definitions, isConstantAddress) is { } meaning)
            {
                aliases._meaning.Add(to, meaning);
                aliases._dropped.Add(instruction);
            }
        }

        return aliases;
    }

    /// <summary>Whether the instruction only makes an alias and need not be executed.</summary>
    public bool IsDropped(PtxInstruction instruction) => _dropped.Contains(instruction);

    /// <summary>What the operand stands for in the end.</summary>
    public PtxOperand Resolve(PtxOperand operand)
    {
        while (operand is PtxOperand.Register { Negated: false } register && _meaning.TryGetValue(register.Value, out PtxOperand? meaning))
        {
            operand = meaning;
        }

        return operand;
    }

    /// <summary>The register itself, the one it is an alias of, or null when it stands for no register.</summary>
    public PtxRegister? Resolve(PtxRegister register) => (Resolve(new PtxOperand.Register(register)) as PtxOperand.Register)?.Value;

    private static PtxOperand? Meaning(
        PtxFunction function,
        PtxInstruction instruction,
        PtxRegister to,
        PtxOperand from,
        Dictionary<PtxRegister, int> definitions,
        Func<string, bool> isConstantAddress
    )
    {
        if (instruction.Opcode == "ld")
        {
            return
                function.IsKernel
                && instruction.Modifiers is [".param", _]
                && instruction.Types[0].Bytes == to.Type.Bytes
                && to.Type.Bytes >= 4
                && from is PtxOperand.Address { Base: PtxOperand.Symbol symbol }
                && function.Parameters.Any(p => p.Name == symbol.Name)
                ? from
                : null;
        }

        bool identity = instruction.Opcode == "cvta" && instruction.Has(".global");
        if (!identity && (instruction.Opcode != "mov" || instruction.Types is not [{ Bytes: >= 2 }]))
        {
            return null;
        }

        return from switch
        {
            PtxOperand.Immediate => from,
            PtxOperand.Special special when SpecialRegisters.IsFixed(special.Name) && SpecialRegisters.Bytes(special.Name) == to.Type.Bytes => from,
            PtxOperand.Symbol named when isConstantAddress(named.Name) && to.Type.Bytes == 8 => from,
            PtxOperand.Register { Value: { } source } when definitions.GetValueOrDefault(source) == 1 && source.Type.Bytes == to.Type.Bytes => from,
            _ => null,
        };
    }
}
