using CoGrpo.CudaEmulator.Ptx;

namespace CoGrpo.CudaEmulator.Compilation;

/// <summary>The blocks of a function, in an order in which lanes that separated meet again as early as can be.</summary>
internal sealed class FlowGraph
{
    // What lanes do together, or what ends them: under a guard the lanes without it go round, so that the instruction itself has no guard.
    private static readonly HashSet<string> Collective = new(StringComparer.Ordinal)
    {
        "ret",
        "exit",
        "call",
        "bar",
        "barrier",
        "shfl",
        "vote",
        "match",
        "redux",
        "mma",
        "wmma",
        "ldmatrix",
        "stmatrix",
        "movmatrix",
        "elect",
        "brx",
        "trap",
        "activemask",
    };

    private readonly PtxFunction _function;
    private readonly SortedDictionary<int, BasicBlock> _starts = [];
    private readonly List<BasicBlock> _blocks = [];

    private FlowGraph(PtxFunction function) => _function = function;

    /// <summary>Reachable blocks in the order of the code; the first is the entry.</summary>
    public IReadOnlyList<BasicBlock> Blocks { get; private set; } = [];

    /// <exception cref="PtxException">A branch goes nowhere.</exception>
    public static FlowGraph Of(PtxFunction function)
    {
        FlowGraph graph = new(function);
        graph.FindStarts();
        graph.Fill();
        graph.Blocks = BlockOrder.Of(graph._starts[0]);
        return graph;
    }

    private static bool GoesRound(PtxInstruction instruction) => instruction.Guard is not null && Collective.Contains(instruction.Opcode);

    private static bool IsEnd(PtxInstruction instruction) => instruction.Opcode is "bra" or "ret" or "exit" or "call" or "brx";

    private void FindStarts()
    {
        Start(0);
        for (int i = 0; i < _function.Instructions.Count; i++)
        {
            PtxInstruction instruction = _function.Instructions[i];
            if (instruction.Opcode == "bra")
            {
                Start(LabelOf(instruction, instruction.Operands[0]));
            }
            else if (instruction.Opcode == "brx")
            {
                foreach (int target in TableOf(instruction))
                {
                    Start(target);
                }
            }

            if (IsEnd(instruction) || GoesRound(instruction))
            {
                Start(i + 1);
            }
        }
    }

    private void Start(int at)
    {
        if (!_starts.ContainsKey(at))
        {
            _starts.Add(at, NewBlock());
        }
    }

    private BasicBlock NewBlock()
    {
        BasicBlock block = new(_blocks.Count);
        _blocks.Add(block);
        return block;
    }

    private int LabelOf(PtxInstruction instruction, PtxOperand operand) => operand is PtxOperand.Symbol symbol
        ? LabelOf(instruction, symbol.Name)
        : throw new PtxException(instruction.Line, $"{instruction.FullName}: wanted a label");

    private static int LabelOf(PtxInstruction instruction, string label) =>
        instruction.Scope.FindLabel(label) ?? throw new PtxException(instruction.Line, $"{instruction.FullName}: label {label} is not defined");

    private static IEnumerable<int> TableOf(PtxInstruction instruction)
    {
        string[] labels = instruction.Operands is [_, PtxOperand.Symbol table] && instruction.Scope.FindTargets(table.Name) is { } found
            ? found
            : throw new PtxException(instruction.Line, $"{instruction.FullName}: wanted a list of branch targets");
        return labels.Select(label => LabelOf(instruction, label));
    }

    private void Fill()
    {
        int count = _function.Instructions.Count;
        BasicBlock? open = null;
        for (int i = 0; i < count; i++)
        {
            if (_starts.TryGetValue(i, out BasicBlock? start))
            {
                if (open is not null)
                {
                    open.Next = start;
                }

                open = start;
            }

            PtxInstruction instruction = _function.Instructions[i];
            if (GoesRound(instruction))
            {
                BasicBlock inner = NewBlock();
                open!.End = BlockEnd.Branch;
                (open.Predicate, open.PredicateNegated) = (instruction.Guard, !instruction.GuardNegated);
                (open.Target, open.Next) = (After(i), inner);
                open = inner;
            }

            open = Put(open!, instruction, i);
        }

        // Falling off the end is a return.
        foreach (BasicBlock block in _blocks.Where(b => b.End == BlockEnd.Fall && b.Next is null))
        {
            block.End = _function.IsKernel ? BlockEnd.Exit : BlockEnd.Return;
        }
    }

    private BasicBlock After(int i)
    {
        Start(i + 1);
        return _starts[i + 1];
    }

    private BasicBlock? Put(BasicBlock open, PtxInstruction instruction, int at)
    {
        switch (instruction.Opcode)
        {
            case "bra":
                BasicBlock target = _starts[LabelOf(instruction, instruction.Operands[0])];
                open.EndInstruction = instruction;
                if (instruction.Guard is null)
                {
                    open.Next = target;
                }
                else
                {
                    open.End = BlockEnd.Branch;
                    (open.Predicate, open.PredicateNegated) = (instruction.Guard, instruction.GuardNegated);
                    (open.Target, open.Next) = (target, After(at));
                }

                return null;
            case "brx":
                open.End = BlockEnd.Table;
                open.EndInstruction = instruction;
                open.Targets = [.. TableOf(instruction).Select(t => _starts[t])];
                return null;
            case "exit":
            case "ret":
                open.End = instruction.Opcode == "exit" || _function.IsKernel ? BlockEnd.Exit : BlockEnd.Return;
                open.EndInstruction = instruction;
                return null;
            case "call":
                open.End = BlockEnd.Call;
                open.EndInstruction = instruction;
                open.Next = After(at);
                return null;
            default:
                open.Body.Add(instruction);
                return open;
        }
    }
}
