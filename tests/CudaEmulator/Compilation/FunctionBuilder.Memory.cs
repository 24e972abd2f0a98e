using CoGrpo.CudaEmulator.Operations;
using CoGrpo.CudaEmulator.Ptx;
using unsafe Handler = delegate*<CoGrpo.CudaEmulator.Execution.Warp, CoGrpo.CudaEmulator.Compilation.Instr*, CoGrpo.CudaEmulator.Compilation.Instr*>;

namespace CoGrpo.CudaEmulator.Compilation;

/// <summary>Loads and stores.</summary>
internal sealed unsafe partial class FunctionBuilder
{
    /// <summary>The space named by an instruction's modifiers; null for generic addresses.</summary>
    private static PtxSpace? SpaceOf(PtxInstruction i)
    {
        foreach (string modifier in i.Modifiers)
        {
            switch (modifier)
            {
                case ".global":
                    return PtxSpace.Global;
                case ".shared" or ".shared::cta":
                    return PtxSpace.Shared;
                case ".shared::cluster":
                    throw No("distributed shared memory is not executed");
                case ".local":
                    return PtxSpace.Local;
                case ".const":
                    return PtxSpace.Constant;
                case ".param" or ".param::entry" or ".param::func":
                    return PtxSpace.Parameter;
                default:
                    break;
            }
        }

        return null;
    }

    private static int AccessOf(PtxInstruction i)
    {
        int flags = 0;
        foreach (string modifier in i.Modifiers)
        {
            flags |= modifier switch
            {
                ".volatile" or ".relaxed" or ".mmio" => AccessFlags.Strong,
                ".acquire" => AccessFlags.Strong | AccessFlags.Acquire,
                ".release" => AccessFlags.Strong | AccessFlags.Release,
                ".acq_rel" => AccessFlags.Strong | AccessFlags.Acquire | AccessFlags.Release,
                ".nc" => AccessFlags.ReadOnlyPath,
                _ => 0,
            };
        }

        return flags;
    }

    private void Load(PtxInstruction i)
    {
        PtxType type = i.Types[^1];
        PtxOperand[] results = i.Operands[0] is PtxOperand.Vector vector ? vector.Items : [i.Operands[0]];
        var address = (PtxOperand.Address)i.Operands[1];
        PtxSpace? space = SpaceOf(i);
        if (space == PtxSpace.Parameter && address.Base is PtxOperand.Symbol symbol)
        {
            LoadParameter(i, results, symbol.Name, address.Offset, type);
            return;
        }

        // What is narrower than its register is loaded into a temporary and extended.
        int[] slots = new int[results.Length];
        bool[] widened = new bool[results.Length];
        for (int k = 0; k < results.Length; k++)
        {
            widened[k] = type.Bytes < 8 && IsDouble(results[k]);
            slots[k] = widened[k] ? TemporaryWord() : type.Bytes == 8 ? DoubleResult(results[k]) : WordResult(results[k]);
        }

        bool narrowRegister = results[0] is PtxOperand.Register { Value.Type.Bytes: 2 };
        Handler handler = (type.Bytes, results.Length) switch
        {
            (1, 1) => type.IsSigned
                ? (narrowRegister ? LoadFrom<Narrow<SignedByte16, One>>(space) : LoadFrom<Narrow<SignedByte32, One>>(space))
                : LoadFrom<Narrow<Byte8, One>>(space),
            (1, 2) => type.IsSigned ? LoadFrom<Narrow<SignedByte16, Two>>(space) : LoadFrom<Narrow<Byte8, Two>>(space),
            (1, 4) => type.IsSigned ? LoadFrom<Narrow<SignedByte16, Four>>(space) : LoadFrom<Narrow<Byte8, Four>>(space),
            (2, 1) => type.IsSigned && !narrowRegister ? LoadFrom<Narrow<SignedHalf16, One>>(space) : LoadFrom<Narrow<Half16, One>>(space),
            (2, 2) => LoadFrom<Narrow<Half16, Two>>(space),
            (2, 4) => LoadFrom<Narrow<Half16, Four>>(space),
            (4, 1) => LoadFrom<Operations.Word>(space),
            (4, 2) => LoadFrom<TwoWords>(space),
            (4, 4) => LoadFrom<FourWords>(space),
            (8, 1) => LoadFrom<DoubleWord>(space),
            (8, 2) => LoadFrom<TwoDoubleWords>(space),
            _ => throw No("vectors of this size are not executed"),
        };
        EmitAccess(i, handler, address, slots).Flags |= results.Length == 1 && IsGuess(address, results[0]) ? AccessFlags.Strong : 0;
        for (int k = 0; k < results.Length; k++)
        {
            if (widened[k])
            {
                Emit(type.IsSigned ? &BankConversions.WidenSigned : &BankConversions.WidenUnsigned, DoubleResult(results[k]), slots[k]);
            }
        }
    }

    private void Store(PtxInstruction i)
    {
        PtxType type = i.Types[^1];
        var address = (PtxOperand.Address)i.Operands[0];
        PtxOperand[] values = i.Operands[1] is PtxOperand.Vector vector ? vector.Items : [i.Operands[1]];
        PtxSpace? space = SpaceOf(i);
        if (space == PtxSpace.Parameter)
        {
            StoreParameter(i, values, address, type);
            return;
        }

        int[] slots = [.. values.Select(value => type.Bytes == 8 ? Double(value, type) : Word(value, type))];
        Handler handler = (type.Bytes, values.Length) switch
        {
            (1, 1) => StoreTo<Narrow<Byte8, One>>(space),
            (1, 2) => StoreTo<Narrow<Byte8, Two>>(space),
            (1, 4) => StoreTo<Narrow<Byte8, Four>>(space),
            (2, 1) => StoreTo<Narrow<Half16, One>>(space),
            (2, 2) => StoreTo<Narrow<Half16, Two>>(space),
            (2, 4) => StoreTo<Narrow<Half16, Four>>(space),
            (4, 1) => StoreTo<Operations.Word>(space),
            (4, 2) => StoreTo<TwoWords>(space),
            (4, 4) => StoreTo<FourWords>(space),
            (8, 1) => StoreTo<DoubleWord>(space),
            (8, 2) => StoreTo<TwoDoubleWords>(space),
            _ => throw No("vectors of this size are not executed"),
        };
        EmitAccess(i, handler, address, slots);
    }

    /// <summary>Emits a memory access with its value slots, address and flags.</summary>
    private ref Instr EmitAccess(PtxInstruction i, Handler handler, PtxOperand.Address address, int[] slots)
    {
        (int register, bool narrow, long offset) = AddressOf(address);
        ref Instr access = ref Emit(
            handler,
            slots.Length > 0 ? slots[0] : 0,
            register,
            slots.Length > 1 ? slots[1] : 0,
            slots.Length > 2 ? slots[2] : 0
        );
        access.E = slots.Length > 3 ? slots[3] : 0;
        access.F = _kernel.CacheEntries++;
        access.Value = offset;
        access.Flags = AccessOf(i) | (narrow ? AccessFlags.NarrowAddress : 0);
        bool strong = (access.Flags & AccessFlags.Strong) != 0;
        _kernel.MayWait |= strong;
        _kernel.HasFences |= (access.Flags & (AccessFlags.Acquire | AccessFlags.Release)) != 0;
        return ref access;
    }

    /// <summary>Slot of an address register, whether it has 32 bits, and what is added to it.</summary>
    private (int Slot, bool Narrow, long Offset) AddressOf(PtxOperand.Address address)
    {
        switch (address.Base)
        {
            case null:
                return (ConstantDouble(0), false, address.Offset);
            case PtxOperand.Symbol symbol when ConstantAddress(symbol.Name) is { } constant:
                return (ConstantDouble(0), false, (long)constant + address.Offset);
            case PtxOperand.Symbol symbol:
                return (Double(symbol, U64), false, address.Offset);
            default:
                PtxOperand resolved = _aliases.Resolve(address.Base);
                return resolved switch
                {
                    PtxOperand.Register { Value.Type.Bytes: 4 } => (Word(resolved, U32), true, address.Offset),
                    PtxOperand.Immediate immediate => (ConstantDouble(0), false, (long)immediate.Bits + address.Offset),
                    PtxOperand.Address or PtxOperand.Special when address.Base is PtxOperand.Register { Value.Type.Bytes: 4 } => (
                        Word(resolved, U32),
                        true,
                        address.Offset
                    ),
                    PtxOperand.Symbol when address.Base is PtxOperand.Register { Value.Type.Bytes: 4 } => (Word(resolved, U32), true, address.Offset),
                    _ => (Double(resolved, U64), false, address.Offset),
                };
        }
    }

    private static Handler LoadFrom<TShape>(PtxSpace? space)
        where TShape : struct, IMemoryShape => space switch
        {
            PtxSpace.Global => &MemoryOperations.Load<GlobalSpace, TShape>,
            PtxSpace.Shared => &MemoryOperations.Load<SharedSpace, TShape>,
            PtxSpace.Constant => &MemoryOperations.Load<ConstantSpace, TShape>,
            PtxSpace.Local => &LocalOperations.Load<TShape>,
            PtxSpace.Parameter => &ParameterOperations.Load<TShape>,
            _ => &GenericOperations.Load<TShape>,
        };

    private static Handler StoreTo<TShape>(PtxSpace? space)
        where TShape : struct, IMemoryShape => space switch
        {
            PtxSpace.Global => &MemoryOperations.Store<GlobalSpace, TShape>,
            PtxSpace.Shared => &MemoryOperations.Store<SharedSpace, TShape>,
            PtxSpace.Local => &LocalOperations.Store<TShape>,
            null => &GenericOperations.Store<TShape>,
            _ => throw No("the space cannot be written"),
        };

    /// <summary>ld.param by name: from the launch's buffer, or from the slots of a function's parameter or a call's result.</summary>
    private void LoadParameter(PtxInstruction i, PtxOperand[] results, string name, long offset, PtxType type)
    {
        PtxVariable? variable = i.Scope.FindVariable(name);
        bool inSlots = variable is not null && _parameterSlots.ContainsKey(variable);
        for (int k = 0; k < results.Length; k++, offset += type.Bytes)
        {
            if (type.Bytes == 8)
            {
                int to = DoubleResult(results[k]);
                if (inSlots)
                {
                    Emit(&BankConversions.Join, to, SlotAt(variable!, offset), SlotAt(variable!, offset + 4));
                }
                else
                {
                    Emit(&VectorHandlers.UnaryDouble<Copy64>, to, Preset(Bank.Double, PresetKind.Parameter, (ulong)(ParameterOffset(name) + offset)));
                }

                continue;
            }

            bool wide = IsDouble(results[k]);
            int slot = wide ? TemporaryWord() : WordResult(results[k]);
            int source = inSlots ? SlotAt(variable!, offset) : Preset(Bank.Word, PresetKind.Parameter, (ulong)(ParameterOffset(name) + offset));
            int shift = inSlots ? (int)(offset & 3) * 8 : 0;
            if (shift != 0)
            {
                int shifted = TemporaryWord();
                Emit(&VectorHandlers.Binary<ShiftRightUnsigned>, shifted, source, Constant((uint)shift));
                source = shifted;
            }

            Emit((type.Bytes, type.IsSigned) switch
            {
                (1, true) => &VectorHandlers.Unary<SignExtend8>,
                (1, false) => &VectorHandlers.Unary<ZeroExtend8>,
                (2, true) => &VectorHandlers.Unary<SignExtend16>,
                (2, false) => &VectorHandlers.Unary<ZeroExtend16>,
                _ => &VectorHandlers.Unary<Operations.Copy>,
            }, slot, source);
            if (results[k] is PtxOperand.Register { Value.Type.Bytes: 2 })
            {
                Emit(&VectorHandlers.Unary<ZeroExtend16>, slot, slot);
            }
            else if (wide)
            {
                Emit(type.IsSigned ? &BankConversions.WidenSigned : &BankConversions.WidenUnsigned, DoubleResult(results[k]), slot);
            }
        }
    }

    /// <summary>st.param: into the slots of a call's argument or of a function's result.</summary>
    private void StoreParameter(PtxInstruction i, PtxOperand[] values, PtxOperand.Address address, PtxType type)
    {
        PtxVariable variable =
            address.Base is PtxOperand.Symbol symbol && i.Scope.FindVariable(symbol.Name) is { } found && _parameterSlots.ContainsKey(found)
                ? found
                : throw No("wanted the name of a parameter");
        long offset = address.Offset;
        foreach (PtxOperand value in values)
        {
            if (type.Bytes == 8)
            {
                int from = Double(value, type);
                Emit(&BankConversions.NarrowLow, SlotAt(variable, offset), from);
                Emit(&BankConversions.NarrowHigh, SlotAt(variable, offset + 4), from);
            }
            else if (type.Bytes == 4)
            {
                Emit(&VectorHandlers.Unary<Operations.Copy>, SlotAt(variable, offset), Word(value, type));
            }
            else
            {
                int slot = SlotAt(variable, offset);
                int start = (int)(offset & 3) * 8;
                ref Instr insert = ref Emit(&BitHandlers.Insert<Words>, slot, Word(value, type), slot, Constant((uint)start));
                insert.E = Constant((uint)(8 * type.Bytes));
            }

            offset += type.Bytes;
        }
    }

    private int SlotAt(PtxVariable variable, long offset) => offset >= 0 && offset < variable.Bytes
        ? (_firstParameter + _parameterSlots[variable] + (int)(offset / 4)) * WordBytes
        : throw No($"offset {offset} lies outside parameter {variable.Name}");
}
