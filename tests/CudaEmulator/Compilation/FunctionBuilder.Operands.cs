using CoGrpo.CudaEmulator.Operations;
using CoGrpo.CudaEmulator.Ptx;

namespace CoGrpo.CudaEmulator.Compilation;

/// <summary>Operands: where they lie in the frame. Layout of a bank: registers, temporaries, parameters, presets.</summary>
internal sealed unsafe partial class FunctionBuilder
{
    private const int WordBytes = 128;
    private const int DoubleBytes = 256;
    private const int Temporaries = 24;

    private readonly Dictionary<(Bank Bank, PresetKind Kind, ulong Value), int> _presets = [];
    private readonly Dictionary<PtxVariable, int> _parameterSlots = [];
    private readonly Dictionary<PtxVariable, int> _parameterOffsets = [];
    private readonly Dictionary<string, int> _locals = new(StringComparer.Ordinal);
    private int _parameterWords;
    private int _firstParameter;
    private int _nextWord;
    private int _nextDouble;
    private int _nextPredicate;
    private int _usedWords;
    private int _usedDoubles;

    private static PtxType U32 => new(PtxKind.Unsigned, 4);

    private static PtxType U64 => new(PtxKind.Unsigned, 8);

    /// <summary>Parameters of a kernel have offsets in the launch's buffer; those of functions and calls have slots, one for each 4 bytes.</summary>
    private void LayParameters()
    {
        if (_function.IsKernel)
        {
            long offset = 0;
            foreach (PtxVariable parameter in _function.Parameters)
            {
                offset = (offset + parameter.Alignment - 1) / parameter.Alignment * parameter.Alignment;
                _parameterOffsets.Add(parameter, (int)offset);
                offset += parameter.Bytes;
            }

            ParameterBytes = offset;
        }

        IEnumerable<PtxVariable> slots = _function.Variables.Where(v => v.Space == PtxSpace.Parameter);
        foreach (PtxVariable variable in _function.IsKernel ? slots : _function.Parameters.Concat(_function.Results).Concat(slots))
        {
            _parameterSlots.Add(variable, _parameterWords);
            _parameterWords += (int)((variable.Bytes + 3) / 4);
        }
    }

    private void LayLocals()
    {
        int offset = 0;
        foreach (PtxVariable variable in _function.Variables.Concat(_kernel.Module.Variables.Values).Where(v => v.Space == PtxSpace.Local))
        {
            offset = (offset + variable.Alignment - 1) / variable.Alignment * variable.Alignment;
            _locals[variable.Name] = offset;
            offset += (int)variable.Bytes;
        }

        _code.LocalBytes = offset;
    }

    private void LayFrame()
    {
        _firstParameter = _slots.Counts[(int)Bank.Word] + Temporaries;
        _nextWord = _firstParameter + _parameterWords;
        _nextDouble = _slots.Counts[(int)Bank.Double] + Temporaries;
        _nextPredicate = _slots.Counts[(int)Bank.Predicate] + 1;
        _code.ParameterSlots = [.. _function.Parameters.SelectMany(SlotsOf)];
        _code.ResultSlots = [.. _function.Results.SelectMany(SlotsOf)];
    }

    private void CloseFrame() =>
        (_code.WordBytes, _code.DoubleBytes, _code.Predicates) = (_nextWord * WordBytes, _nextDouble * DoubleBytes, _nextPredicate);

    /// <summary>Slots of a parameter of a function or call; none for parameters of a kernel.</summary>
    private IEnumerable<int> SlotsOf(PtxVariable variable) =>
        _parameterSlots.TryGetValue(variable, out int first)
            ? Enumerable.Range(_firstParameter + first, (int)((variable.Bytes + 3) / 4)).Select(slot => slot * WordBytes)
            : [];

    private void ReleaseTemporaries() => (_usedWords, _usedDoubles) = (0, 0);

    private int TemporaryWord() => _usedWords < Temporaries
        ? (_slots.Counts[(int)Bank.Word] + _usedWords++) * WordBytes
        : throw No("it needs too many intermediate values");

    private int TemporaryDouble() => _usedDoubles < Temporaries
        ? (_slots.Counts[(int)Bank.Double] + _usedDoubles++) * DoubleBytes
        : throw No("it needs too many intermediate values");

    /// <summary>A slot that holds a value from the start.</summary>
    private int Preset(Bank bank, PresetKind kind, ulong value)
    {
        if (_presets.TryGetValue((bank, kind, value), out int offset))
        {
            return offset;
        }

        offset = bank switch { Bank.Word => _nextWord++ * WordBytes, Bank.Double => _nextDouble++ * DoubleBytes, _ => _nextPredicate++ };
        _presets.Add((bank, kind, value), offset);
        _code.Presets.Add(new Preset(bank, offset, kind, value));
        return offset;
    }

    private int Constant(uint value) => Preset(Bank.Word, PresetKind.Constant, value);

    private int ConstantDouble(ulong value) => Preset(Bank.Double, PresetKind.Constant, value);

    /// <summary>Slot of a 32-bit (or narrower) value to read.</summary>
    private int Word(PtxOperand operand, PtxType type)
    {
        operand = _aliases.Resolve(operand);
        switch (operand)
        {
            case PtxOperand.Register { Value: { } register }:
                switch (SlotAllocation.BankOf(register.Type))
                {
                    case Bank.Word:
                        return _slots.SlotOf(register) * WordBytes;
                    case Bank.Double:
                        int low = TemporaryWord();
                        Emit(&BankConversions.NarrowLow, low, _slots.SlotOf(register) * DoubleBytes);
                        return low;
                    default:
                        throw No($"predicate {register.Name} stands where a number is wanted");
                }

            case PtxOperand.Immediate immediate:
                return Constant((uint)Bits(immediate, type) & (type.Bytes == 2 ? 0xFFFF : type.Bytes == 1 ? 0xFF : uint.MaxValue));
            case PtxOperand.Special special when SpecialRegisters.IsFixed(special.Name):
                return Preset(Bank.Word, PresetKind.Special, (ulong)SpecialRegisters.Number(special.Name));
            case PtxOperand.Special special:
                return ReadSpecialWord(special);
            case PtxOperand.Address { Base: PtxOperand.Symbol symbol } address:
                return Preset(Bank.Word, PresetKind.Parameter, (ulong)(ParameterOffset(symbol.Name) + address.Offset));
            case PtxOperand.Symbol symbol:
                return Constant(
                    (uint)((ConstantAddress(symbol.Name) ?? throw No($"the address of {symbol.Name} is not known")) + (ulong)symbol.Offset)
                );
            default:
                throw No("an operand has a form that is not read");
        }
    }

    /// <summary>Slot of a 64-bit value to read.</summary>
    private int Double(PtxOperand operand, PtxType type)
    {
        operand = _aliases.Resolve(operand);
        switch (operand)
        {
            case PtxOperand.Register { Value: { } register } when SlotAllocation.BankOf(register.Type) == Bank.Double:
                return _slots.SlotOf(register) * DoubleBytes;
            case PtxOperand.Immediate immediate:
                return ConstantDouble(Bits(immediate, type));
            case PtxOperand.Special { Name: "%gridid" }:
                return Preset(Bank.Double, PresetKind.Special, (ulong)SpecialRegisters.Number("%gridid"));
            case PtxOperand.Special { Name: "%clock64" or "%globaltimer" } special:
                int time = TemporaryDouble();
                Emit(special.Name == "%clock64" ? &ClockOperations.Clock64 : &ClockOperations.GlobalTimer, time);
                return time;
            case PtxOperand.Special special:
                int wide = TemporaryDouble();
                Emit(&BankConversions.WidenUnsigned, wide, Word(special, U32));
                return wide;
            case PtxOperand.Address { Base: PtxOperand.Symbol symbol } address:
                return Preset(Bank.Double, PresetKind.Parameter, (ulong)(ParameterOffset(symbol.Name) + address.Offset));
            case PtxOperand.Symbol symbol when ConstantAddress(symbol.Name) is { } constant:
                return ConstantDouble(constant + (ulong)symbol.Offset);
            case PtxOperand.Symbol symbol when _locals.TryGetValue(symbol.Name, out int local):
                int at = TemporaryDouble();
                Emit(&LocalOperations.Address, at).Value = local + symbol.Offset;
                return at;
            case PtxOperand.Register { Value: { } narrow }:
                int widened = TemporaryDouble();
                Emit(&BankConversions.WidenUnsigned, widened, Word(operand, U32));
                return SlotAllocation.BankOf(narrow.Type) == Bank.Word
                    ? widened
                    : throw No($"predicate {narrow.Name} stands where a number is wanted");
            default:
                throw No("an operand has a form that is not read");
        }
    }

    /// <summary>Index of a predicate to read, and whether it is to be flipped.</summary>
    private int Predicate(PtxOperand operand, out uint flip)
    {
        switch (operand)
        {
            case PtxOperand.Register { Value.Type.IsPredicate: true } register:
                flip = register.Negated ? uint.MaxValue : 0;
                return PredicateSlot(register.Value);
            case PtxOperand.Immediate immediate:
                flip = 0;
                return Preset(Bank.Predicate, PresetKind.Constant, immediate.Bits == 0 ? 0UL : 1);
            default:
                throw No("wanted a predicate");
        }
    }

    private int PredicateSlot(PtxRegister register)
    {
        PtxOperand resolved = _aliases.Resolve(new PtxOperand.Register(register));
        return resolved is PtxOperand.Register { Value: { } root } ? _slots.SlotOf(root) : Predicate(resolved, out _);
    }

    /// <summary>Slot of a 32-bit result. A result that nobody wants goes to a temporary.</summary>
    private int WordResult(PtxOperand operand) => operand switch
    {
        PtxOperand.Register { Value: { } register } when SlotAllocation.BankOf(register.Type) == Bank.Word => _slots.SlotOf(register) * WordBytes,
        PtxOperand.Sink => TemporaryWord(),
        _ => throw No($"wanted a 32-bit register for the result, got {operand}"),
    };

    private int DoubleResult(PtxOperand operand) => operand switch
    {
        PtxOperand.Register { Value: { } register } when SlotAllocation.BankOf(register.Type) == Bank.Double => _slots.SlotOf(register) * DoubleBytes,
        PtxOperand.Sink => TemporaryDouble(),
        _ => throw No($"wanted a 64-bit register for the result, got {operand}"),
    };

    private int PredicateResult(PtxOperand operand) => operand switch
    {
        PtxOperand.Register { Value: { } register } when register.Type.IsPredicate => _slots.SlotOf(register),
        PtxOperand.Sink => _slots.Counts[(int)Bank.Predicate],
        _ => throw No("wanted a predicate for the result"),
    };

    private static bool IsDouble(PtxOperand operand) => operand is PtxOperand.Register { Value.Type.Bytes: 8 };

    private static ulong Bits(PtxOperand.Immediate immediate, PtxType type) => (immediate.Form, type.Kind, type.ElementBytes) switch
    {
        (ImmediateForm.Double, PtxKind.Float, 4) => BitConverter.SingleToUInt32Bits((float)BitConverter.UInt64BitsToDouble(immediate.Bits)),
        (ImmediateForm.Single, PtxKind.Float, 8) => BitConverter.DoubleToUInt64Bits(BitConverter.UInt32BitsToSingle((uint)immediate.Bits)),
        _ => immediate.Bits,
    };

    /// <summary>Offset of a kernel's parameter in the launch's buffer.</summary>
    private long ParameterOffset(string name) =>
        _function.IsKernel && _function.Parameters.FirstOrDefault(p => p.Name == name) is { } parameter
            ? _parameterOffsets[parameter]
            : throw No($"parameter {name} is not one of the kernel");

    /// <summary>The address that a name always stands for; null for local variables of functions that may be called at any depth.</summary>
    private ulong? ConstantAddress(string name)
    {
        if (_locals.TryGetValue(name, out int local))
        {
            return _function.IsKernel ? (ulong)local : null;
        }

        if (_function.IsKernel && _function.Parameters.FirstOrDefault(p => p.Name == name) is { } parameter)
        {
            return (ulong)_parameterOffsets[parameter];
        }

        return _kernel.AddressOf(name);
    }

    private int ReadSpecialWord(PtxOperand.Special special)
    {
        int slot = TemporaryWord();
        switch (special.Name)
        {
            case "%clock" or "%clock_hi":
                Emit(&ClockOperations.Clock, slot).Extra = special.Name == "%clock" ? 0 : 1;
                return slot;
            case "%globaltimer_lo" or "%globaltimer_hi":
                Emit(&ClockOperations.GlobalTimerHalf, slot).Extra = special.Name == "%globaltimer_lo" ? 0 : 1;
                return slot;
            default:
                throw No($"special register {special.Name} is not known");
        }
    }
}
