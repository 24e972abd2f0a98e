namespace CoGrpo.CudaEmulator.Ptx;

/// <summary>One instruction as written.</summary>
internal sealed class PtxInstruction
{
    public required string Opcode { get; init; }

    /// <summary>Modifiers in order, with their dots, types included.</summary>
    public required string[] Modifiers { get; init; }

    public required PtxOperand[] Operands { get; init; }

    /// <summary>The types among the modifiers, in order.</summary>
    public required PtxType[] Types { get; init; }

    public PtxRegister? Guard { get; init; }

    public bool GuardNegated { get; init; }

    /// <summary>Line of the PTX text.</summary>
    public required int Line { get; init; }

    public SourceLine? Source { get; init; }

    /// <summary>The scope whose labels a branch of this instruction means.</summary>
    public required PtxScope Scope { get; init; }

    /// <summary>Opcode with modifiers, as messages name it.</summary>
    public string FullName => Opcode + string.Concat(Modifiers);

    public bool Has(string modifier) => Array.IndexOf(Modifiers, modifier) >= 0;
}

/// <summary>A pair of braces: labels and registers declared inside are known only there.</summary>
internal sealed class PtxScope(PtxScope? parent)
{
    private readonly Dictionary<string, PtxRegister> _registers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _labels = new(StringComparer.Ordinal);
    private readonly Dictionary<string, PtxVariable> _variables = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string[]> _targets = new(StringComparer.Ordinal);
    private readonly List<(string Prefix, int Count, PtxType Type)> _ranges = [];

    public PtxScope? Parent { get; } = parent;

    public void Declare(PtxRegister register) => _registers[register.Name] = register;

    /// <summary>Declares <c>prefix0 … prefix(count-1)</c>; the registers come into being when they are first named.</summary>
    public void DeclareRange(string prefix, int count, PtxType type) => _ranges.Add((prefix, count, type));

    public void Label(string name, int instruction) => _labels[name] = instruction;

    public void Declare(PtxVariable variable) => _variables[variable.Name] = variable;

    public void Targets(string name, string[] labels) => _targets[name] = labels;

    public PtxRegister? FindRegister(string name)
    {
        for (PtxScope? scope = this; scope is not null; scope = scope.Parent)
        {
            if (scope._registers.TryGetValue(name, out PtxRegister? register))
            {
                return register;
            }

            foreach ((string prefix, int count, PtxType type) in scope._ranges)
            {
                if (name.StartsWith(prefix, StringComparison.Ordinal) && int.TryParse(name.AsSpan(prefix.Length), out int number) && number < count)
                {
                    register = new PtxRegister(name, type);
                    scope._registers.Add(name, register);
                    return register;
                }
            }
        }

        return null;
    }

    public PtxVariable? FindVariable(string name) => Find(scope => scope._variables.GetValueOrDefault(name));

    public string[]? FindTargets(string name) => Find(scope => scope._targets.GetValueOrDefault(name));

    public int? FindLabel(string name)
    {
        for (PtxScope? scope = this; scope is not null; scope = scope.Parent)
        {
            if (scope._labels.TryGetValue(name, out int at))
            {
                return at;
            }
        }

        return null;
    }

    private T? Find<T>(Func<PtxScope, T?> look)
        where T : class
    {
        for (PtxScope? scope = this; scope is not null; scope = scope.Parent)
        {
            if (look(scope) is { } found)
            {
                return found;
            }
        }

        return null;
    }
}
