using CoGrpo.CudaEmulator.Operations;
using CoGrpo.CudaEmulator.Ptx;
using unsafe Handler = delegate*<CoGrpo.CudaEmulator.Execution.Warp, CoGrpo.CudaEmulator.Compilation.Instr*, CoGrpo.CudaEmulator.Compilation.Instr*>;

namespace CoGrpo.CudaEmulator.Compilation;

/// <summary>setp, set, selp, slct.</summary>
internal sealed unsafe partial class FunctionBuilder
{
    private void Comparison(PtxInstruction i)
    {
        switch (i.Opcode)
        {
            case "setp":
                SetPredicate(i);
                break;
            case "set":
                SetValue(i);
                break;
            case "selp":
                Select(i);
                break;
            default:
                SelectBySign(i);
                break;
        }
    }

    private void SetPredicate(PtxInstruction i)
    {
        PtxType type = i.Types[^1];
        if (type.Elements == 2)
        {
            SetPairOfPredicates(i, type);
            return;
        }

        (int first, int second) = i.Operands[0] switch
        {
            PtxOperand.Pair pair => (pair.First is null ? -1 : PredicateSlot(pair.First), pair.Second is null ? -1 : PredicateSlot(pair.Second)),
            PtxOperand single => (PredicateResult(single), -1),
        };
        EmitComparison(i, type, first, second, i.Operands[1], i.Operands[2], i.Operands.Length > 3 ? i.Operands[3] : null);
    }

    private void EmitComparison(PtxInstruction i, PtxType type, int first, int second, PtxOperand x, PtxOperand y, PtxOperand? joined)
    {
        Handler handler = Test(i, type, out bool swapped);
        bool wide = type.Bytes == 8;
        int a = wide ? Double(x, type) : Word(x, type);
        int b = wide ? Double(y, type) : Word(y, type);
        uint flip = 0;
        int other = joined is null ? 0 : Predicate(joined, out flip);
        ref Instr compare = ref Emit(handler, first, swapped ? b : a, swapped ? a : b, other);
        compare.E = second;
        compare.Value = flip;
        compare.Extra = (int)(
            joined is null ? PredicateJoin.None
            : i.Has(".and") ? PredicateJoin.And
            : i.Has(".or") ? PredicateJoin.Or
            : PredicateJoin.Xor
        );
    }

    /// <summary>The handler of a comparison, and whether its operands change places.</summary>
    private static Handler Test(PtxInstruction i, PtxType type, out bool swapped)
    {
        string relation = i.Modifiers[0];
        if (type.IsFloat)
        {
            swapped = relation is ".gt" or ".ge" or ".gtu" or ".geu";
            return type.ElementBytes switch
            {
                8 => RealTest(relation),
                4 => i.Has(".ftz") ? SingleTest<Yes>(relation) : SingleTest<No>(relation),
                _ => type.Kind == PtxKind.BFloat ? HalfTest<BFloat16>(relation) : HalfTest<Float16>(relation),
            };
        }

        // lo, ls, hi and hs are unsigned whatever the type.
        bool signed = type.IsSigned && relation is not (".lo" or ".ls" or ".hi" or ".hs");
        swapped = relation is ".gt" or ".ge" or ".hi" or ".hs";
        string core = relation switch { ".gt" or ".hi" or ".lo" => ".lt", ".ge" or ".hs" or ".ls" => ".le", _ => relation };
        return (core, type.Bytes, signed) switch
        {
            (".eq", 8, _) => &VectorHandlers.CompareDouble<EqualDouble>,
            (".ne", 8, _) => &VectorHandlers.CompareDouble<NotEqualDouble>,
            (".lt", 8, true) => &VectorHandlers.CompareDouble<LessSigned64>,
            (".lt", 8, false) => &VectorHandlers.CompareDouble<LessUnsigned64>,
            (".le", 8, true) => &VectorHandlers.CompareDouble<LessOrEqualSigned64>,
            (".le", 8, false) => &VectorHandlers.CompareDouble<LessOrEqualUnsigned64>,
            (".eq", _, _) => &VectorHandlers.Compare<EqualWord>,
            (".ne", _, _) => &VectorHandlers.Compare<NotEqualWord>,
            (".lt", 4, true) => &VectorHandlers.Compare<LessSigned>,
            (".lt", 2, true) => &VectorHandlers.Compare<Signed16Comparison<LessSigned>>,
            (".lt", _, false) => &VectorHandlers.Compare<LessUnsigned>,
            (".le", 4, true) => &VectorHandlers.Compare<LessOrEqualSigned>,
            (".le", 2, true) => &VectorHandlers.Compare<Signed16Comparison<LessOrEqualSigned>>,
            (".le", _, false) => &VectorHandlers.Compare<LessOrEqualUnsigned>,
            _ => throw No($"relation {relation} is not for this type"),
        };
    }

    private static Handler SingleTest<TFlushes>(string relation)
        where TFlushes : struct, IFlag => relation switch
        {
            ".eq" => Tested<EqualSingle, TFlushes>(),
            ".ne" => Tested<NotEqualSingle, TFlushes>(),
            ".lt" or ".gt" => Tested<LessSingle, TFlushes>(),
            ".le" or ".ge" => Tested<LessOrEqualSingle, TFlushes>(),
            ".equ" => Tested<Opposite<NotEqualSingle>, TFlushes>(),
            ".neu" => Tested<Opposite<EqualSingle>, TFlushes>(),
            ".ltu" or ".gtu" => Tested<LessOrUnordered, TFlushes>(),
            ".leu" or ".geu" => Tested<LessOrEqualOrUnordered, TFlushes>(),
            ".num" => Tested<NumbersSingle, TFlushes>(),
            ".nan" => Tested<Opposite<NumbersSingle>, TFlushes>(),
            _ => throw No($"relation {relation} is not for this type"),
        };

    private static Handler Tested<T, TFlushes>()
        where T : struct, IWordComparison
        where TFlushes : struct, IFlag => TFlushes.Value ? &VectorHandlers.Compare<FlushedComparison<T>> : &VectorHandlers.Compare<T>;

    private static Handler RealTest(string relation) => relation switch
    {
        ".eq" => &VectorHandlers.CompareDouble<EqualReal>,
        ".ne" => &VectorHandlers.CompareDouble<NotEqualReal>,
        ".lt" or ".gt" => &VectorHandlers.CompareDouble<LessReal>,
        ".le" or ".ge" => &VectorHandlers.CompareDouble<LessOrEqualReal>,
        ".equ" => &VectorHandlers.CompareDouble<OppositeReal<NotEqualReal>>,
        ".neu" => &VectorHandlers.CompareDouble<OppositeReal<EqualReal>>,
        ".ltu" or ".gtu" => &VectorHandlers.CompareDouble<LessOrUnorderedReal>,
        ".leu" or ".geu" => &VectorHandlers.CompareDouble<LessOrEqualOrUnorderedReal>,
        ".num" => &VectorHandlers.CompareDouble<NumbersReal>,
        ".nan" => &VectorHandlers.CompareDouble<OppositeReal<NumbersReal>>,
        _ => throw No($"relation {relation} is not for this type"),
    };

    private static Handler HalfTest<T>(string relation)
        where T : struct, IFloatFormat => relation switch
        {
            ".eq" => &LaneHandlers.Test<CompareFloats<T, IsEqual, No>, Words, Words>,
            ".ne" => &LaneHandlers.Test<CompareFloats<T, IsNotEqual, No>, Words, Words>,
            ".lt" or ".gt" => &LaneHandlers.Test<CompareFloats<T, IsLess, No>, Words, Words>,
            ".le" or ".ge" => &LaneHandlers.Test<CompareFloats<T, IsLessOrEqual, No>, Words, Words>,
            ".equ" => &LaneHandlers.Test<CompareFloats<T, IsEqual, Yes>, Words, Words>,
            ".neu" => &LaneHandlers.Test<CompareFloats<T, IsNotEqual, Yes>, Words, Words>,
            ".ltu" or ".gtu" => &LaneHandlers.Test<CompareFloats<T, IsLess, Yes>, Words, Words>,
            ".leu" or ".geu" => &LaneHandlers.Test<CompareFloats<T, IsLessOrEqual, Yes>, Words, Words>,
            ".num" => &LaneHandlers.Test<CompareFloats<T, IsAny, No>, Words, Words>,
            ".nan" => &LaneHandlers.Test<CompareFloats<T, IsNone, Yes>, Words, Words>,
            _ => throw No($"relation {relation} is not for this type"),
        };

    /// <summary>setp on packed pairs: one predicate for each half.</summary>
    private void SetPairOfPredicates(PtxInstruction i, PtxType type)
    {
        PtxType half = type with { Elements = 1 };
        (PtxRegister? first, PtxRegister? second) = i.Operands[0] is PtxOperand.Pair pair
            ? (pair.First, pair.Second)
            : throw No("wanted two predicates");
        Handler handler = Test(i, half, out bool swapped);
        int a = Word(i.Operands[1], U32);
        int b = Word(i.Operands[2], U32);
        PtxOperand? joined = i.Operands.Length > 3 ? i.Operands[3] : null;
        uint flip = 0;
        int other = joined is null ? 0 : Predicate(joined, out flip);
        for (int k = 0; k < 2; k++)
        {
            PtxRegister? to = k == 0 ? first : second;
            if (to is null)
            {
                continue;
            }

            int x = HalfOf(a, k);
            int y = HalfOf(b, k);
            ref Instr compare = ref Emit(handler, PredicateSlot(to), swapped ? y : x, swapped ? x : y, other);
            compare.E = -1;
            compare.Value = flip;
            compare.Extra = (int)(
                joined is null ? PredicateJoin.None
                : i.Has(".and") ? PredicateJoin.And
                : i.Has(".or") ? PredicateJoin.Or
                : PredicateJoin.Xor
            );
        }
    }

    private int HalfOf(int word, int half)
    {
        int slot = TemporaryWord();
        if (half == 0)
        {
            Emit(&VectorHandlers.Unary<ZeroExtend16>, slot, word);
        }
        else
        {
            Emit(&VectorHandlers.Binary<ShiftRightUnsigned>, slot, word, Constant(16));
        }

        return slot;
    }

    /// <summary>set: all ones, or 1.0, where the comparison holds.</summary>
    private void SetValue(PtxInstruction i)
    {
        PtxType to = i.Types[0];
        PtxType source = i.Types[^1];
        PtxOperand? joined = i.Operands.Length > 3 ? i.Operands[3] : null;
        uint yes = to switch
        {
            { Kind: PtxKind.Float, ElementBytes: 4 } => 0x3F800000,
            { Kind: PtxKind.Float } => 0x3C00,
            { Kind: PtxKind.BFloat } => 0x3F80,
            { Bytes: 2 } => 0xFFFF,
            _ => uint.MaxValue,
        };
        int scratch = _slots.Counts[(int)Bank.Predicate];
        if (source.Elements == 2)
        {
            uint each = to.IsFloat ? yes : 0xFFFF;
            PtxType single = source with { Elements = 1 };
            Handler handler = Test(i, single, out bool swapped);
            int a = Word(i.Operands[1], U32);
            int b = Word(i.Operands[2], U32);
            uint flip = 0;
            int other = joined is null ? 0 : Predicate(joined, out flip);
            int[] halves = new int[2];
            for (int k = 0; k < 2; k++)
            {
                int x = HalfOf(a, k);
                int y = HalfOf(b, k);
                ref Instr compare = ref Emit(handler, scratch, swapped ? y : x, swapped ? x : y, other);
                compare.E = -1;
                compare.Value = flip;
                compare.Extra = (int)(
                    joined is null ? PredicateJoin.None
                    : i.Has(".and") ? PredicateJoin.And
                    : i.Has(".or") ? PredicateJoin.Or
                    : PredicateJoin.Xor
                );
                halves[k] = TemporaryWord();
                Emit(&VectorHandlers.Select, halves[k], Constant(each << (16 * k)), Constant(0), scratch);
            }

            Emit(&VectorHandlers.Binary<Or>, WordResult(i.Operands[0]), halves[0], halves[1]);
            return;
        }

        EmitComparison(i, source, scratch, -1, i.Operands[1], i.Operands[2], joined);
        Emit(&VectorHandlers.Select, WordResult(i.Operands[0]), Constant(yes), Constant(0), scratch);
    }

    private void Select(PtxInstruction i)
    {
        PtxType type = i.Types[0];
        bool wide = type.Bytes == 8;
        int a = wide ? Double(i.Operands[1], type) : Word(i.Operands[1], type);
        int b = wide ? Double(i.Operands[2], type) : Word(i.Operands[2], type);
        int which = Predicate(i.Operands[3], out uint flip);
        Emit(
            wide ? &VectorHandlers.SelectDouble : &VectorHandlers.Select,
            wide ? DoubleResult(i.Operands[0]) : WordResult(i.Operands[0]),
            a,
            b,
            which
        ).Value = flip;
    }

    /// <summary>slct: A where C is not negative (and a number), else B.</summary>
    private void SelectBySign(PtxInstruction i)
    {
        PtxType type = i.Types[0];
        int scratch = _slots.Counts[(int)Bank.Predicate];
        int c = Word(i.Operands[3], i.Types[1]);
        int zero = Constant(0);
        ref Instr compare = ref Emit(
            !i.Types[1].IsFloat ? &VectorHandlers.Compare<LessOrEqualSigned>
                : i.Has(".ftz") ? &VectorHandlers.Compare<FlushedComparison<LessOrEqualSingle>>
                : &VectorHandlers.Compare<LessOrEqualSingle>,
            scratch,
            zero,
            c
        );
        compare.E = -1;
        bool wide = type.Bytes == 8;
        int a = wide ? Double(i.Operands[1], type) : Word(i.Operands[1], type);
        int b = wide ? Double(i.Operands[2], type) : Word(i.Operands[2], type);
        Emit(
            wide ? &VectorHandlers.SelectDouble : &VectorHandlers.Select,
            wide ? DoubleResult(i.Operands[0]) : WordResult(i.Operands[0]),
            a,
            b,
            scratch
        );
    }
}
