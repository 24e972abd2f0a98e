using System.Runtime.InteropServices;
using CoGrpo.CudaEmulator.Ptx;

namespace CoGrpo.CudaEmulator.Compilation;

/// <summary>Compiles a kernel with all functions it may call for one context, where the addresses of module variables are known.</summary>
internal sealed unsafe class KernelBuilder
{
    private readonly Func<string, ulong?> _addressOf;
    private readonly List<PtxFunction> _functions = [];
    private readonly Dictionary<string, FunctionCode> _codes = new(StringComparer.Ordinal);
    private readonly List<(int Offset, PtxVariable Variable)> _shared = [];
    private readonly Dictionary<string, int> _sharedOffsets = new(StringComparer.Ordinal);
    private readonly List<string> _functionNumbers;
    private int _sharedBytes;
    private int _dynamicOffset;

    private KernelBuilder(PtxModule module, Func<string, ulong?> addressOf)
    {
        (Module, _addressOf) = (module, addressOf);
        _functionNumbers = FunctionNumbers(module);
    }

    public PtxModule Module { get; }

    public List<Instr> Code { get; } = [];

    public List<PtxInstruction?> Origins { get; } = [];

    public List<int[]> Mix { get; } = [];

    public List<object> Objects { get; } = [];

    /// <summary>Instructions whose Value is the address of the head of a block.</summary>
    public List<(int At, BasicBlock Target)> Jumps { get; } = [];

    /// <summary>Tables of heads of blocks.</summary>
    public List<(nint[] Table, BasicBlock[] Targets)> Tables { get; } = [];

    public Dictionary<BasicBlock, int> Heads { get; } = [];

    public int CacheEntries { get; set; }

    public bool MayWait { get; set; }

    public bool HasFences { get; set; }

    public bool HasCalls { get; set; }

    public int Registers { get; set; }

    /// <summary>Names of functions in the order of their addresses.</summary>
    public static List<string> FunctionNumbers(PtxModule module) =>
        [.. module.Functions.Values.Where(f => f.HasBody && !f.IsKernel).Select(f => f.Name)];

    /// <exception cref="PtxException">The code is not consistent.</exception>
    public static KernelCode Build(PtxModule module, string kernel, Func<string, ulong?> addressOf) =>
        new KernelBuilder(module, addressOf).Build(kernel);

    /// <summary>Code of a function that is part of the kernel, or null for one that has no body.</summary>
    public FunctionCode? CodeOf(string name) => _codes.GetValueOrDefault(name);

    /// <summary>The address that the name of a variable or function stands for in code, or null where it is no constant.</summary>
    public ulong? AddressOf(string name)
    {
        if (_sharedOffsets.TryGetValue(name, out int offset))
        {
            return (ulong)offset;
        }

        int number = _functionNumbers.IndexOf(name);
        return number >= 0 ? KernelCode.FunctionAddress + ((ulong)number * KernelCode.FunctionDistance) : _addressOf(name);
    }

    private KernelCode Build(string kernel)
    {
        PtxFunction entry = Module.Functions[kernel];
        FindFunctions(entry);
        LayShared();
        foreach (PtxFunction function in _functions)
        {
            _codes.Add(function.Name, new FunctionCode(function.Name));
        }

        Dictionary<FunctionCode, int> starts = [];
        long parameterBytes = 0;
        foreach (PtxFunction function in _functions)
        {
            starts.Add(_codes[function.Name], Code.Count);
            FunctionBuilder builder = new(this, function, _codes[function.Name]);
            builder.Build();
            parameterBytes = function == entry ? builder.ParameterBytes : parameterBytes;
        }

        var first = (Instr*)NativeMemory.AlignedAlloc((nuint)(Code.Count * sizeof(Instr)), 64);
        CollectionsMarshal.AsSpan(Code).CopyTo(new Span<Instr>(first, Code.Count));
        foreach ((int at, BasicBlock target) in Jumps)
        {
            first[at].Value = (long)(first + Heads[target]);
        }

        foreach ((nint[] table, BasicBlock[] targets) in Tables)
        {
            for (int i = 0; i < targets.Length; i++)
            {
                table[i] = (nint)(first + Heads[targets[i]]);
            }
        }

        foreach ((FunctionCode code, int start) in starts)
        {
            code.Entry = first + start;
        }

        return new KernelCode
        {
            Name = kernel,
            Module = Module,
            First = first,
            Count = Code.Count,
            Origins = [.. Origins],
            Entry = _codes[kernel],
            Callable = [.. _functionNumbers.Select(CodeOf)],
            Mix = [.. Mix],
            ParameterBytes = parameterBytes,
            SharedBytes = _sharedBytes,
            DynamicSharedOffset = _dynamicOffset,
            SharedVariables = _shared,
            CacheEntries = CacheEntries,
            MayWait = MayWait,
            HasFences = HasFences,
            HasCalls = HasCalls,
            Objects = Objects,
            Registers = Registers,
        };
    }

    /// <summary>The kernel and everything it may call; a call through a pointer may reach any function.</summary>
    private void FindFunctions(PtxFunction entry)
    {
        HashSet<string> seen = [entry.Name];
        Queue<PtxFunction> open = new([entry]);
        while (open.TryDequeue(out PtxFunction? function))
        {
            _functions.Add(function);
            foreach (PtxInstruction call in function.Instructions.Where(i => i.Opcode == "call"))
            {
                PtxOperand target = call.Operands[0] is PtxOperand.Vector && call.Operands.Length > 1 ? call.Operands[1] : call.Operands[0];
                IEnumerable<string> names = target is PtxOperand.Symbol symbol ? [symbol.Name] : _functionNumbers;
                foreach (string name in names)
                {
                    if (Module.Functions.TryGetValue(name, out PtxFunction? called) && called.HasBody && seen.Add(name))
                    {
                        open.Enqueue(called);
                    }
                }
            }
        }
    }

    /// <summary>Gives every shared variable that the code names its place; dynamic shared memory comes after them.</summary>
    private void LayShared()
    {
        HashSet<string> named = new(StringComparer.Ordinal);
        foreach (PtxInstruction instruction in _functions.SelectMany(f => f.Instructions))
        {
            foreach (string name in instruction.Operands.SelectMany(Names))
            {
                named.Add(name);
            }
        }

        List<PtxVariable> variables = [.. Module.Variables.Values.Where(v => v.Space == PtxSpace.Shared && named.Contains(v.Name))];
        foreach (PtxFunction function in _functions)
        {
            variables.AddRange(function.Variables.Where(v => v.Space == PtxSpace.Shared));
        }

        int dynamicAlignment = 1;
        foreach (PtxVariable variable in variables.OrderByDescending(v => v.Alignment))
        {
            if (variable.Bytes == 0)
            {
                dynamicAlignment = Math.Max(dynamicAlignment, variable.Alignment);
                continue;
            }

            _sharedBytes = (_sharedBytes + variable.Alignment - 1) / variable.Alignment * variable.Alignment;
            _sharedOffsets[variable.Name] = _sharedBytes;
            _shared.Add((_sharedBytes, variable));
            _sharedBytes += (int)variable.Bytes;
        }

        _dynamicOffset = (_sharedBytes + dynamicAlignment - 1) / dynamicAlignment * dynamicAlignment;
        foreach (PtxVariable variable in variables.Where(v => v.Bytes == 0))
        {
            _sharedOffsets[variable.Name] = _dynamicOffset;
        }
    }

    private static IEnumerable<string> Names(PtxOperand operand) => operand switch
    {
        PtxOperand.Symbol symbol => [symbol.Name],
        PtxOperand.Address { Base: PtxOperand.Symbol symbol } => [symbol.Name],
        PtxOperand.Vector vector => vector.Items.SelectMany(Names),
        _ => [],
    };
}
