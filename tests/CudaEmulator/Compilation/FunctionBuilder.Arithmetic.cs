using CoGrpo.CudaEmulator.Operations;
using CoGrpo.CudaEmulator.Ptx;
using unsafe Handler = delegate*<CoGrpo.CudaEmulator.Execution.Warp, CoGrpo.CudaEmulator.Compilation.Instr*, CoGrpo.CudaEmulator.Compilation.Instr*>;

namespace CoGrpo.CudaEmulator.Compilation;

/// <summary>add, sub, mul, mad, fma, div, rem, min, max, abs, neg for integers; floats go on to the other part.</summary>
internal sealed unsafe partial class FunctionBuilder
{
    private void Arithmetic(PtxInstruction i)
    {
        PtxType type = i.Types is [var only] ? only : throw No("wanted one type");
        if (type.IsFloat)
        {
            if (type.ElementBytes == 2)
            {
                HalfArithmetic(i, type);
            }
            else
            {
                FloatArithmetic(i, type);
            }
        }
        else if (i.Opcode is "addc" or "subc" or "madc" || i.Has(".cc"))
        {
            Carry(i, type);
        }
        else if (i.Has(".wide"))
        {
            Wide(i, type);
        }
        else if (type.Elements == 2)
        {
            PackedInteger(i, type);
        }
        else if (i.Has(".relu"))
        {
            EmitWord(i, (i.Opcode, type) switch
            {
                ("min", { IsSigned: true, Bytes: 4 }) => &LaneHandlers.Apply<NotNegative<MinLane>, Words, Words, Words, Absent>,
                ("max", { IsSigned: true, Bytes: 4 }) => &LaneHandlers.Apply<NotNegative<MaxLane>, Words, Words, Words, Absent>,
                _ => throw No("not for this type"),
            }, type);
        }
        else if (type.Bytes == 8)
        {
            EmitDouble(i, Integer64(i, type), type);
        }
        else if (i.Has(".sat"))
        {
            EmitWord(
                i,
                i.Opcode == "add"
                    ? &LaneHandlers.Apply<AddSaturated, Words, Words, Words, Absent>
                    : &LaneHandlers.Apply<SubSaturated, Words, Words, Words, Absent>,
                type
            );
        }
        else
        {
            EmitWord(i, type.Bytes == 2 ? Integer16(i, type) : Integer32(i, type), type);
        }
    }

    /// <summary>Emits with one 32-bit result and as many 32-bit operands as there are.</summary>
    private void EmitWord(PtxInstruction i, Handler handler, PtxType type)
    {
        int a = Word(i.Operands[1], type);
        int b = i.Operands.Length > 2 ? Word(i.Operands[2], type) : 0;
        int c = i.Operands.Length > 3 ? Word(i.Operands[3], type) : 0;
        Emit(handler, WordResult(i.Operands[0]), a, b, c);
    }

    private void EmitDouble(PtxInstruction i, Handler handler, PtxType type)
    {
        int a = Double(i.Operands[1], type);
        int b = i.Operands.Length > 2 ? Double(i.Operands[2], type) : 0;
        int c = i.Operands.Length > 3 ? Double(i.Operands[3], type) : 0;
        Emit(handler, DoubleResult(i.Operands[0]), a, b, c);
    }

    private static Handler Integer32(PtxInstruction i, PtxType type) => (i.Opcode, type.IsSigned) switch
    {
        ("add", _) => &VectorHandlers.Binary<Add>,
        ("sub", _) => &VectorHandlers.Binary<Sub>,
        ("mul", true) when i.Has(".hi") => &VectorHandlers.Binary<MulHighSigned>,
        ("mul", false) when i.Has(".hi") => &VectorHandlers.Binary<MulHighUnsigned>,
        ("mul", _) => &VectorHandlers.Binary<MulLow>,
        ("mad", true) when i.Has(".hi") => &VectorHandlers.Ternary<MadHighSigned>,
        ("mad", false) when i.Has(".hi") => &VectorHandlers.Ternary<MadHighUnsigned>,
        ("mad", _) => &VectorHandlers.Ternary<MadLow>,
        ("div", true) => &LaneHandlers.Apply<DivSigned32, Words, Words, Words, Absent>,
        ("div", false) => &LaneHandlers.Apply<DivUnsigned32, Words, Words, Words, Absent>,
        ("rem", true) => &LaneHandlers.Apply<RemSigned32, Words, Words, Words, Absent>,
        ("rem", false) => &LaneHandlers.Apply<RemUnsigned32, Words, Words, Words, Absent>,
        ("min", true) => &VectorHandlers.Binary<MinSigned>,
        ("min", false) => &VectorHandlers.Binary<MinUnsigned>,
        ("max", true) => &VectorHandlers.Binary<MaxSigned>,
        ("max", false) => &VectorHandlers.Binary<MaxUnsigned>,
        ("abs", _) => &VectorHandlers.Unary<AbsSigned>,
        ("neg", _) => &VectorHandlers.Unary<Neg>,
        _ => throw No("not for this type"),
    };

    private static Handler Integer16(PtxInstruction i, PtxType type) => (i.Opcode, type.IsSigned) switch
    {
        ("add", _) => &VectorHandlers.Binary<Unsigned16<Add>>,
        ("sub", _) => &VectorHandlers.Binary<Unsigned16<Sub>>,
        ("mul", true) when i.Has(".hi") => &VectorHandlers.Binary<MulHigh16<SignExtend16>>,
        ("mul", false) when i.Has(".hi") => &VectorHandlers.Binary<MulHigh16<Operations.Copy>>,
        ("mul", _) => &VectorHandlers.Binary<Unsigned16<MulLow>>,
        ("mad", _) when !i.Has(".hi") => &VectorHandlers.Ternary<Unsigned16<MadLow>>,
        ("div", true) => &LaneHandlers.Apply<SignedLane16<DivSigned32>, Words, Words, Words, Absent>,
        ("div", false) => &LaneHandlers.Apply<UnsignedLane16<DivUnsigned32>, Words, Words, Words, Absent>,
        ("rem", true) => &LaneHandlers.Apply<SignedLane16<RemSigned32>, Words, Words, Words, Absent>,
        ("rem", false) => &LaneHandlers.Apply<UnsignedLane16<RemUnsigned32>, Words, Words, Words, Absent>,
        ("min", true) => &VectorHandlers.Binary<Signed16<MinSigned>>,
        ("min", false) => &VectorHandlers.Binary<MinUnsigned>,
        ("max", true) => &VectorHandlers.Binary<Signed16<MaxSigned>>,
        ("max", false) => &VectorHandlers.Binary<MaxUnsigned>,
        ("abs", _) => &VectorHandlers.Unary<Signed16<AbsSigned>>,
        ("neg", _) => &VectorHandlers.Unary<Unsigned16<Neg>>,
        _ => throw No("not for this type"),
    };

    private static Handler Integer64(PtxInstruction i, PtxType type) => (i.Opcode, type.IsSigned) switch
    {
        ("add", _) => &VectorHandlers.BinaryDouble<Add64>,
        ("sub", _) => &VectorHandlers.BinaryDouble<Sub64>,
        ("mul", true) when i.Has(".hi") => &LaneHandlers.Apply<MulHighSigned64, Doubles, Doubles, Doubles, Absent>,
        ("mul", false) when i.Has(".hi") => &LaneHandlers.Apply<MulHighUnsigned64, Doubles, Doubles, Doubles, Absent>,
        ("mul", _) => &VectorHandlers.BinaryDouble<MulLow64>,
        ("mad", true) when i.Has(".hi") => &LaneHandlers.Apply<MulHighSigned64, Doubles, Doubles, Doubles, Doubles>,
        ("mad", false) when i.Has(".hi") => &LaneHandlers.Apply<MulHighUnsigned64, Doubles, Doubles, Doubles, Doubles>,
        ("mad", _) => &VectorHandlers.TernaryDouble<MadLow64>,
        ("div", true) => &LaneHandlers.Apply<DivSigned64, Doubles, Doubles, Doubles, Absent>,
        ("div", false) => &LaneHandlers.Apply<DivUnsigned64, Doubles, Doubles, Doubles, Absent>,
        ("rem", true) => &LaneHandlers.Apply<RemSigned64, Doubles, Doubles, Doubles, Absent>,
        ("rem", false) => &LaneHandlers.Apply<RemUnsigned64, Doubles, Doubles, Doubles, Absent>,
        ("min", true) => &VectorHandlers.BinaryDouble<MinSigned64>,
        ("min", false) => &VectorHandlers.BinaryDouble<MinUnsigned64>,
        ("max", true) => &VectorHandlers.BinaryDouble<MaxSigned64>,
        ("max", false) => &VectorHandlers.BinaryDouble<MaxUnsigned64>,
        ("abs", _) => &VectorHandlers.UnaryDouble<AbsSigned64>,
        ("neg", _) => &VectorHandlers.UnaryDouble<Neg64>,
        _ => throw No("not for this type"),
    };

    private void PackedInteger(PtxInstruction i, PtxType type) => EmitWord(i, (i.Opcode, type.IsSigned) switch
    {
        ("min", true) when i.Has(".relu") => &LaneHandlers.Apply<Packed<SignedLane16<NotNegative<MinLane>>>, Words, Words, Words, Absent>,
        ("max", true) when i.Has(".relu") => &LaneHandlers.Apply<Packed<SignedLane16<NotNegative<MaxLane>>>, Words, Words, Words, Absent>,
        (_, false) when i.Has(".relu") => throw No("not for this type"),
        ("add", _) => &LaneHandlers.Apply<Packed<UnsignedLane16<AddLane>>, Words, Words, Words, Absent>,
        ("min", true) => &LaneHandlers.Apply<Packed<SignedLane16<MinLane>>, Words, Words, Words, Absent>,
        ("min", false) => &LaneHandlers.Apply<Packed<UnsignedLane16<MinLane>>, Words, Words, Words, Absent>,
        ("max", true) => &LaneHandlers.Apply<Packed<SignedLane16<MaxLane>>, Words, Words, Words, Absent>,
        ("max", false) => &LaneHandlers.Apply<Packed<UnsignedLane16<MaxLane>>, Words, Words, Words, Absent>,
        _ => throw No("not for this type"),
    }, type);

    /// <summary>mul.wide and mad.wide: twice the width of the operands.</summary>
    private void Wide(PtxInstruction i, PtxType type)
    {
        bool adds = i.Opcode == "mad";
        if (type.Bytes == 2)
        {
            int x = Word(i.Operands[1], type);
            int y = Word(i.Operands[2], type);
            Handler handler = (adds, type.IsSigned) switch
            {
                (false, true) => &VectorHandlers.Binary<MulWide16<SignExtend16>>,
                (false, false) => &VectorHandlers.Binary<MulWide16<Operations.Copy>>,
                (true, true) => &VectorHandlers.Ternary<MulWide16<SignExtend16>>,
                (true, false) => &VectorHandlers.Ternary<MulWide16<Operations.Copy>>,
            };
            Emit(handler, WordResult(i.Operands[0]), x, y, adds ? Word(i.Operands[3], U32) : 0);
            return;
        }

        if (type.Bytes != 4)
        {
            throw No("not for this type");
        }

        int a = Word(i.Operands[1], type);
        int b = Word(i.Operands[2], type);
        int c = adds ? Double(i.Operands[3], U64) : 0;
        Handler wide = (adds, type.IsSigned) switch
        {
            (false, true) => &VectorHandlers.WidenSigned<MulLow64>,
            (false, false) => &VectorHandlers.WidenUnsigned<MulLow64>,
            (true, true) => &VectorHandlers.WidenSigned<MadLow64>,
            (true, false) => &VectorHandlers.WidenUnsigned<MadLow64>,
        };
        Emit(wide, DoubleResult(i.Operands[0]), a, b, c);
    }

    private void Carry(PtxInstruction i, PtxType type)
    {
        int flags =
            (i.Opcode is "addc" or "subc" or "madc" ? CarryHandlers.In : 0)
            | (i.Has(".cc") ? CarryHandlers.Out : 0)
            | (i.Opcode.StartsWith("sub", StringComparison.Ordinal) ? CarryHandlers.Subtract : 0)
            | (i.Opcode.StartsWith("mad", StringComparison.Ordinal) ? CarryHandlers.Multiply : 0)
            | (i.Has(".hi") ? CarryHandlers.High : 0)
            | (type.IsSigned ? CarryHandlers.Signed : 0);
        if (type.Bytes == 8)
        {
            EmitDouble(i, &CarryHandlers.DoubleWord, type);
        }
        else
        {
            EmitWord(i, &CarryHandlers.Word, type);
        }

        Last.Extra = flags;
    }

    private ref Instr Last => ref System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_kernel.Code)[^1];

    private void Logic(PtxInstruction i)
    {
        PtxType type = i.Types[0];
        if (type.IsPredicate)
        {
            PredicateLogic(i);
            return;
        }

        bool shift = i.Opcode is "shl" or "shr";
        if (type.Bytes == 8 && shift)
        {
            int value = Double(i.Operands[1], type);
            int count = Word(i.Operands[2], U32);
            Emit((i.Opcode, type.IsSigned) switch
            {
                ("shl", _) => &VectorHandlers.ShiftDouble<ShiftLeft64>,
                (_, true) => &VectorHandlers.ShiftDouble<ShiftRightSigned64>,
                _ => &VectorHandlers.ShiftDouble<ShiftRightUnsigned64>,
            }, DoubleResult(i.Operands[0]), value, count);
        }
        else if (type.Bytes == 8)
        {
            EmitDouble(i, i.Opcode switch
            {
                "and" => &VectorHandlers.BinaryDouble<And64>,
                "or" => &VectorHandlers.BinaryDouble<Or64>,
                "xor" => &VectorHandlers.BinaryDouble<Xor64>,
                "not" => &VectorHandlers.UnaryDouble<Not64>,
                _ => &VectorHandlers.UnaryDouble<LogicalNot64>,
            }, type);
        }
        else if (shift)
        {
            int value = Word(i.Operands[1], type);
            int count = Word(i.Operands[2], U32);
            Emit((i.Opcode, type.Bytes, type.IsSigned) switch
            {
                ("shl", 2, _) => &VectorHandlers.Binary<Unsigned16<ShiftLeft>>,
                ("shl", _, _) => &VectorHandlers.Binary<ShiftLeft>,
                (_, 2, true) => &VectorHandlers.Binary<ShiftRightSigned16>,
                (_, _, true) => &VectorHandlers.Binary<ShiftRightSigned>,
                _ => &VectorHandlers.Binary<ShiftRightUnsigned>,
            }, WordResult(i.Operands[0]), value, count);
        }
        else
        {
            EmitWord(i, i.Opcode switch
            {
                "and" => &VectorHandlers.Binary<And>,
                "or" => &VectorHandlers.Binary<Or>,
                "xor" => &VectorHandlers.Binary<Xor>,
                "not" => type.Bytes == 2 ? &VectorHandlers.Unary<Unsigned16<Not>> : &VectorHandlers.Unary<Not>,
                _ => &VectorHandlers.Unary<LogicalNot>,
            }, type);
        }
    }

    private void PredicateLogic(PtxInstruction i)
    {
        int a = Predicate(i.Operands[1], out uint flipA);
        int result = PredicateResult(i.Operands[0]);
        if (i.Opcode == "not")
        {
            Emit(&Predicates.Move, result, a).E = (int)~flipA;
            return;
        }

        int b = Predicate(i.Operands[2], out uint flipB);
        ref Instr logic = ref Emit(
            i.Opcode switch
            {
                "and" => &Predicates.And,
                "or" => &Predicates.Or,
                "xor" => &Predicates.Xor,
                _ => throw No("not for predicates"),
            },
            result,
            a,
            b
        );
        (logic.E, logic.F) = ((int)flipA, (int)flipB);
    }

    private void IntegerFunction(PtxInstruction i)
    {
        PtxType type = i.Types is [var first, ..] ? first : throw No("wanted a type");
        bool wide = type.Bytes == 8;
        switch (i.Opcode)
        {
            case "mul24" or "mad24":
                EmitWord(i, (i.Has(".hi"), type.IsSigned) switch
                {
                    (false, false) => &LaneHandlers.Apply<Mul24LowUnsigned, Words, Words, Words, Words>,
                    (false, true) => &LaneHandlers.Apply<Mul24LowSigned, Words, Words, Words, Words>,
                    (true, false) => &LaneHandlers.Apply<Mul24HighUnsigned, Words, Words, Words, Words>,
                    (true, true) => &LaneHandlers.Apply<Mul24HighSigned, Words, Words, Words, Words>,
                }, type);
                Last.C = i.Opcode == "mad24" ? Last.C : Constant(0);
                break;
            case "sad":
                Sad(i, type);
                break;
            case "popc" or "clz" or "bfind" or "brev":
                CountBits(i, type, wide);
                break;
            case "bfe":
                Extract(i, type, wide);
                break;
            case "bfi":
                int from = wide ? Double(i.Operands[1], type) : Word(i.Operands[1], type);
                int into = wide ? Double(i.Operands[2], type) : Word(i.Operands[2], type);
                int position = Word(i.Operands[3], U32);
                int length = Word(i.Operands[4], U32);
                Emit(
                    wide ? &BitHandlers.Insert<Doubles> : &BitHandlers.Insert<Words>,
                    wide ? DoubleResult(i.Operands[0]) : WordResult(i.Operands[0]),
                    from,
                    into,
                    position
                ).E = length;
                break;
            case "fns":
                EmitWord(i, &BitHandlers.FindNthSet, U32);
                break;
            case "prmt":
                EmitWord(i, &BitHandlers.Permute, U32);
                Last.Extra = Math.Max(0, Array.IndexOf([".none", ".f4e", ".b4e", ".rc8", ".ecl", ".ecr", ".rc16"], i.Modifiers[^1]));
                break;
            case "lop3":
                Lop3(i);
                break;
            case "shf":
                EmitWord(i, &BitHandlers.Funnel, U32);
                Last.Extra = (i.Has(".r") ? 1 : 0) | (i.Has(".wrap") ? 2 : 0);
                break;
            case "dp4a":
                EmitWord(i, (i.Types[0].IsSigned, i.Types[1].IsSigned) switch
                {
                    (false, false) => &LaneHandlers.Apply<DotUnsigned, Words, Words, Words, Words>,
                    (true, true) => &LaneHandlers.Apply<DotSigned, Words, Words, Words, Words>,
                    (false, true) => &LaneHandlers.Apply<DotUnsignedSigned, Words, Words, Words, Words>,
                    (true, false) => &LaneHandlers.Apply<DotSignedUnsigned, Words, Words, Words, Words>,
                }, U32);
                break;
            case "dp2a":
                EmitWord(i, (i.Types[0].IsSigned, i.Types[1].IsSigned, i.Has(".hi")) switch
                {
                    (false, false, false) => &LaneHandlers.Apply<DotTwo<No, No, No>, Words, Words, Words, Words>,
                    (false, false, true) => &LaneHandlers.Apply<DotTwo<No, No, Yes>, Words, Words, Words, Words>,
                    (false, true, false) => &LaneHandlers.Apply<DotTwo<No, Yes, No>, Words, Words, Words, Words>,
                    (false, true, true) => &LaneHandlers.Apply<DotTwo<No, Yes, Yes>, Words, Words, Words, Words>,
                    (true, false, false) => &LaneHandlers.Apply<DotTwo<Yes, No, No>, Words, Words, Words, Words>,
                    (true, false, true) => &LaneHandlers.Apply<DotTwo<Yes, No, Yes>, Words, Words, Words, Words>,
                    (true, true, false) => &LaneHandlers.Apply<DotTwo<Yes, Yes, No>, Words, Words, Words, Words>,
                    (true, true, true) => &LaneHandlers.Apply<DotTwo<Yes, Yes, Yes>, Words, Words, Words, Words>,
                }, U32);
                break;
            case "szext":
                EmitWord(i, (i.Has(".wrap"), type.IsSigned) switch
                {
                    (false, false) => &LaneHandlers.Apply<ExtendField<No, No>, Words, Words, Words, Absent>,
                    (false, true) => &LaneHandlers.Apply<ExtendField<No, Yes>, Words, Words, Words, Absent>,
                    (true, false) => &LaneHandlers.Apply<ExtendField<Yes, No>, Words, Words, Words, Absent>,
                    (true, true) => &LaneHandlers.Apply<ExtendField<Yes, Yes>, Words, Words, Words, Absent>,
                }, U32);
                break;
            default:
                EmitWord(
                    i,
                    i.Has(".wrap")
                        ? &LaneHandlers.Apply<FieldMask<Yes>, Words, Words, Words, Absent>
                        : &LaneHandlers.Apply<FieldMask<No>, Words, Words, Words, Absent>,
                    U32
                );
                break;
        }
    }

    private void Sad(PtxInstruction i, PtxType type)
    {
        if (type.Bytes == 8)
        {
            EmitDouble(
                i,
                type.IsSigned
                    ? &LaneHandlers.Apply<SadSigned64, Doubles, Doubles, Doubles, Doubles>
                    : &LaneHandlers.Apply<SadUnsigned, Doubles, Doubles, Doubles, Doubles>,
                type
            );
        }
        else
        {
            EmitWord(i, (type.Bytes, type.IsSigned) switch
            {
                (2, true) => &LaneHandlers.Apply<SignedLane16<SadSigned32>, Words, Words, Words, Words>,
                (2, false) => &LaneHandlers.Apply<UnsignedLane16<SadUnsigned>, Words, Words, Words, Words>,
                (_, true) => &LaneHandlers.Apply<SadSigned32, Words, Words, Words, Words>,
                _ => &LaneHandlers.Apply<SadUnsigned, Words, Words, Words, Words>,
            }, type);
        }
    }

    private void CountBits(PtxInstruction i, PtxType type, bool wide)
    {
        bool shift = i.Has(".shiftamt");
        if (i.Opcode == "brev")
        {
            if (wide)
            {
                EmitDouble(i, &LaneHandlers.Apply<ReverseBits64, Doubles, Doubles, Absent, Absent>, type);
            }
            else
            {
                EmitWord(i, &LaneHandlers.Apply<ReverseBits32, Words, Words, Absent, Absent>, type);
            }

            return;
        }

        Handler handler = (i.Opcode, wide, type.IsSigned, shift) switch
        {
            ("popc", false, _, _) => &LaneHandlers.Apply<PopCount, Words, Words, Absent, Absent>,
            ("popc", true, _, _) => &LaneHandlers.Apply<PopCount, Words, Doubles, Absent, Absent>,
            ("clz", false, _, _) => &LaneHandlers.Apply<LeadingZeros32, Words, Words, Absent, Absent>,
            ("clz", true, _, _) => &LaneHandlers.Apply<LeadingZeros64, Words, Doubles, Absent, Absent>,
            (_, false, false, false) => &LaneHandlers.Apply<FindUnsigned, Words, Words, Absent, Absent>,
            (_, false, true, false) => &LaneHandlers.Apply<FindSigned32, Words, Words, Absent, Absent>,
            (_, true, false, false) => &LaneHandlers.Apply<FindUnsigned, Words, Doubles, Absent, Absent>,
            (_, true, true, false) => &LaneHandlers.Apply<FindSigned64, Words, Doubles, Absent, Absent>,
            (_, false, false, true) => &LaneHandlers.Apply<AsShift32<FindUnsigned>, Words, Words, Absent, Absent>,
            (_, false, true, true) => &LaneHandlers.Apply<AsShift32<FindSigned32>, Words, Words, Absent, Absent>,
            (_, true, false, true) => &LaneHandlers.Apply<AsShift64<FindUnsigned>, Words, Doubles, Absent, Absent>,
            (_, true, true, true) => &LaneHandlers.Apply<AsShift64<FindSigned64>, Words, Doubles, Absent, Absent>,
        };
        int a = wide ? Double(i.Operands[1], type) : Word(i.Operands[1], type);
        Emit(handler, WordResult(i.Operands[0]), a);
    }

    private void Extract(PtxInstruction i, PtxType type, bool wide)
    {
        int a = wide ? Double(i.Operands[1], type) : Word(i.Operands[1], type);
        int position = Word(i.Operands[2], U32);
        int length = Word(i.Operands[3], U32);
        Handler handler = (wide, type.IsSigned) switch
        {
            (false, false) => &LaneHandlers.Apply<ExtractUnsigned32, Words, Words, Words, Words>,
            (false, true) => &LaneHandlers.Apply<ExtractSigned32, Words, Words, Words, Words>,
            (true, false) => &LaneHandlers.Apply<ExtractUnsigned64, Doubles, Doubles, Words, Words>,
            (true, true) => &LaneHandlers.Apply<ExtractSigned64, Doubles, Doubles, Words, Words>,
        };
        Emit(handler, wide ? DoubleResult(i.Operands[0]) : WordResult(i.Operands[0]), a, position, length);
    }

    private void Lop3(PtxInstruction i)
    {
        if (i.Has(".and") || i.Has(".or"))
        {
            throw No("the form with a predicate result is not executed");
        }

        int a = Word(i.Operands[1], U32);
        int b = Word(i.Operands[2], U32);
        int c = Word(i.Operands[3], U32);
        ulong table = i.Operands[4] is PtxOperand.Immediate immediate ? immediate.Bits : throw No("wanted an immediate table");
        Emit(&BitHandlers.Lop3, WordResult(i.Operands[0]), a, b, c).Value = (long)table;
    }
}
