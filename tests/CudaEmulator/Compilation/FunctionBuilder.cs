using System.Runtime.InteropServices;
using CoGrpo.CudaEmulator.Execution;
using CoGrpo.CudaEmulator.Operations;
using CoGrpo.CudaEmulator.Ptx;
using unsafe Handler = delegate*<CoGrpo.CudaEmulator.Execution.Warp, CoGrpo.CudaEmulator.Compilation.Instr*, CoGrpo.CudaEmulator.Compilation.Instr*>;

namespace CoGrpo.CudaEmulator.Compilation;

/// <summary>Decodes the instructions of one function: blocks and their ends here, operands and groups of instructions in the other parts.</summary>
internal sealed unsafe partial class FunctionBuilder
{
    private readonly KernelBuilder _kernel;
    private readonly PtxFunction _function;
    private readonly FunctionCode _code;
    private readonly FlowGraph _graph;
    private readonly Aliases _aliases;
    private readonly SlotAllocation _slots;
    private PtxInstruction? _current;
    private HashSet<(PtxOperand, long?)>? _swapped;

    public FunctionBuilder(KernelBuilder kernel, PtxFunction function, FunctionCode code)
    {
        (_kernel, _function, _code) = (kernel, function, code);
        LayParameters();
        LayLocals();
        _graph = FlowGraph.Of(function);
        _aliases = Aliases.Of(function, _graph.Blocks, name => ConstantAddress(name) is not null);
        _slots = SlotAllocation.Of(Liveness.Of(_graph.Blocks, _aliases));
        kernel.Registers = Math.Max(kernel.Registers, _slots.Pressure);
        LayFrame();
    }

    /// <summary>Bytes of the kernel's parameters.</summary>
    public long ParameterBytes { get; private set; }

    public void Build()
    {
        for (int i = 0; i < _graph.Blocks.Count; i++)
        {
            Put(_graph.Blocks[i], i + 1 < _graph.Blocks.Count ? _graph.Blocks[i + 1] : null);
        }

        CloseFrame();
    }

    private void Put(BasicBlock block, BasicBlock? following)
    {
        int[] mix = new int[Enum.GetValues<InstructionClass>().Length];
        int count = 0;
        foreach (PtxInstruction instruction in block.EndInstruction is { } end ? block.Body.Append(end) : block.Body)
        {
            mix[(int)Classification.Of(instruction)]++;
            count++;
        }

        _kernel.Heads.Add(block, _kernel.Code.Count);
        _current = null;
        ref Instr head = ref Emit(&Control.Head);
        head.A = 2 * _kernel.Mix.Count;
        head.C = count;
        head.Flags = block.Body.Count == 0 && block.End == BlockEnd.Exit ? ControlFlags.ExitBlock : 0;
        _kernel.Mix.Add(mix);
        foreach (PtxInstruction instruction in block.Body.Where(i => !_aliases.IsDropped(i)))
        {
            Put(instruction);
        }

        PutEnd(block, following);
    }

    private void Put(PtxInstruction instruction)
    {
        _current = instruction;
        ReleaseTemporaries();
        int start = _kernel.Code.Count;
        int presets = _code.Presets.Count;
        try
        {
            Decode(instruction);
        }
        catch (Exception error) when (error is NotSupportedException or IndexOutOfRangeException or InvalidCastException)
        {
            // Only an error if it is ever executed. Operands of another number or sort than expected are those of another form.
            CollectionsMarshal.SetCount(_kernel.Code, start);
            CollectionsMarshal.SetCount(_kernel.Origins, start);
            ref Instr stop = ref Emit(&Control.Unsupported);
            stop.Extra = _kernel.Objects.Count;
            _kernel.Objects.Add($"instruction {instruction.FullName} of PTX line {instruction.Line} is not supported: {(error is NotSupportedException ? error.Message : "the form is not known")}");
        }

        if (instruction.Guard is not null)
        {
            Guard(instruction, start);
        }
    }

    private void Guard(PtxInstruction instruction, int start)
    {
        int predicate = PredicateSlot(instruction.Guard!);
        foreach (ref Instr instr in CollectionsMarshal.AsSpan(_kernel.Code)[start..])
        {
            instr.Inner = instr.Handler;
            instr.Handler = &Control.Guarded;
            instr.Guard = predicate;
            instr.GuardFlip = instruction.GuardNegated ? uint.MaxValue : 0;
        }
    }

    private void PutEnd(BasicBlock block, BasicBlock? following)
    {
        _current = block.EndInstruction;
        switch (block.End)
        {
            case BlockEnd.Fall:
                Jump(block.Next!, following);
                break;
            case BlockEnd.Branch:
                // Where the target comes next, the branch is turned round.
                bool turned = block.Target == following;
                _kernel.Jumps.Add((_kernel.Code.Count, turned ? block.Next! : block.Target!));
                ref Instr branch = ref Emit(&Control.Branch);
                branch.Guard = PredicateSlot(block.Predicate!);
                branch.GuardFlip = block.PredicateNegated != turned ? uint.MaxValue : 0;
                Jump(turned ? block.Target! : block.Next!, following);
                break;
            case BlockEnd.Table:
                int index = Word(block.EndInstruction!.Operands[0], new PtxType(PtxKind.Unsigned, 4));
                nint[] table = new nint[block.Targets.Length];
                _kernel.Tables.Add((table, block.Targets));
                ref Instr jump = ref Emit(&Control.Table, 0, index);
                jump.Extra = _kernel.Objects.Count;
                _kernel.Objects.Add(table);
                break;
            case BlockEnd.Call:
                Put(block.EndInstruction!);
                Jump(block.Next!, following);
                break;
            case BlockEnd.Return:
                Emit(&Control.Return);
                break;
            default:
                Emit(&Control.Exit);
                break;
        }
    }

    private void Jump(BasicBlock target, BasicBlock? following)
    {
        if (target != following)
        {
            _kernel.Jumps.Add((_kernel.Code.Count, target));
            Emit(&Control.Goto);
        }
    }

    /// <summary>Appends an instruction; the reference is good until the next one.</summary>
    private ref Instr Emit(Handler handler, int d = 0, int a = 0, int b = 0, int c = 0)
    {
        _kernel.Code.Add(new Instr { Handler = handler, D = d, A = a, B = b, C = c });
        _kernel.Origins.Add(_current);
        return ref CollectionsMarshal.AsSpan(_kernel.Code)[^1];
    }

    private static NotSupportedException No(string what) => new(what);

    private void Decode(PtxInstruction i)
    {
        KnownModifiers.Check(i);
        switch (i.Opcode)
        {
            case "mov":
                Move(i);
                break;
            case "ld" or "ldu":
                Load(i);
                break;
            case "st":
                Store(i);
                break;
            case "add" or "sub" or "mul" or "mad" or "fma" or "div" or "min" or "max" or "abs" or "neg" or "rem" or "addc" or "subc" or "madc":
                Arithmetic(i);
                break;
            case "rcp" or "sqrt" or "rsqrt" or "sin" or "cos" or "lg2" or "ex2" or "tanh" or "copysign" or "testp":
                FloatFunction(i);
                break;
            case "mul24"
            or "mad24"
            or "sad"
            or "popc"
            or "clz"
            or "bfind"
            or "brev"
            or "bfe"
            or "bfi"
            or "fns"
            or "prmt"
            or "lop3"
            or "shf"
            or "dp4a"
            or "dp2a"
            or "szext"
            or "bmsk":
                IntegerFunction(i);
                break;
            case "vadd2"
            or "vsub2"
            or "vabsdiff2"
            or "vmin2"
            or "vmax2"
            or "vset2"
            or "vadd4"
            or "vsub4"
            or "vabsdiff4"
            or "vmin4"
            or "vmax4"
            or "vset4":
                PackedInteger(i);
                break;
            case "and" or "or" or "xor" or "not" or "cnot" or "shl" or "shr":
                Logic(i);
                break;
            case "setp" or "set" or "selp" or "slct":
                Comparison(i);
                break;
            case "cvt" or "cvta" or "isspacep":
                Conversion(i);
                break;
            case "call":
                Call(i);
                break;
            case "atom" or "red":
                Atomic(i);
                break;
            case "bar" or "barrier" or "membar" or "fence" or "shfl" or "vote" or "match" or "redux" or "activemask" or "elect" or "nanosleep":
                Together(i);
                break;
            case "mma":
                Multiply(i);
                break;
            case "wmma":
                WarpMatrix(i);
                break;
            case "ldmatrix" or "stmatrix":
                MatrixAccess(i);
                break;
            case "movmatrix":
                Emit(&MatrixOperations.Transpose, WordResult(i.Operands[0]), Word(i.Operands[1], U32));
                break;
            case "cp" or "mbarrier":
                Asynchronous(i);
                break;
            case "createpolicy":
                // Caches are not modelled: any policy is as good as another.
                Emit(&VectorHandlers.UnaryDouble<Copy64>, DoubleResult(i.Operands[0]), ConstantDouble(0));
                break;
            case "trap" or "brkpt":
                Emit(i.Opcode == "trap" ? &Control.Trap : &Control.Nothing);
                break;
            case "prefetch" or "prefetchu" or "discard" or "applypriority" or "pmevent" or "griddepcontrol":
                Emit(&Control.Nothing);
                break;
            default:
                throw No("the emulator has no such instruction");
        }
    }
}
