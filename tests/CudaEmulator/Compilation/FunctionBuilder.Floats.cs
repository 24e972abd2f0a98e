using CoGrpo.CudaEmulator.Operations;
using CoGrpo.CudaEmulator.Ptx;
using unsafe Handler = delegate*<CoGrpo.CudaEmulator.Execution.Warp, CoGrpo.CudaEmulator.Compilation.Instr*, CoGrpo.CudaEmulator.Compilation.Instr*>;

namespace CoGrpo.CudaEmulator.Compilation;

/// <summary>Floating-point arithmetic and functions.</summary>
internal sealed unsafe partial class FunctionBuilder
{
    private static RoundingMode ModeOf(PtxInstruction i) =>
        i.Has(".rz") ? RoundingMode.Zero
        : i.Has(".rm") ? RoundingMode.Down
        : i.Has(".rp") ? RoundingMode.Up
        : RoundingMode.NearestEven;

    private static Handler Unary<T>(bool flushes, bool saturates = false)
        where T : struct, IWordOperation => (flushes, saturates) switch
        {
            (false, false) => &VectorHandlers.Unary<T>,
            (true, false) => &VectorHandlers.Unary<Flushed<T>>,
            (false, true) => &VectorHandlers.Unary<Saturated<T>>,
            (true, true) => &VectorHandlers.Unary<Saturated<Flushed<T>>>,
        };

    private static Handler Binary<T>(PtxInstruction i)
        where T : struct, IWordOperation => (i.Has(".ftz"), i.Has(".sat")) switch
        {
            (false, false) => &VectorHandlers.Binary<T>,
            (true, false) => &VectorHandlers.Binary<Flushed<T>>,
            (false, true) => &VectorHandlers.Binary<Saturated<T>>,
            (true, true) => &VectorHandlers.Binary<Saturated<Flushed<T>>>,
        };

    private static Handler Ternary<T>(PtxInstruction i)
        where T : struct, IWordOperation => (i.Has(".ftz"), i.Has(".sat")) switch
        {
            (false, false) => &VectorHandlers.Ternary<T>,
            (true, false) => &VectorHandlers.Ternary<Flushed<T>>,
            (false, true) => &VectorHandlers.Ternary<Saturated<T>>,
            (true, true) => &VectorHandlers.Ternary<Saturated<Flushed<T>>>,
        };

    private static Handler Exact<T, TB, TC>(PtxInstruction i)
        where T : struct, ILaneOperation
        where TB : struct, IBank
        where TC : struct, IBank => (i.Has(".ftz"), i.Has(".sat")) switch
        {
            (false, false) => &LaneHandlers.Apply<T, Words, Words, TB, TC>,
            (true, false) => &LaneHandlers.Apply<FlushedLane<T>, Words, Words, TB, TC>,
            (false, true) => &LaneHandlers.Apply<SaturatedLane<T>, Words, Words, TB, TC>,
            (true, true) => &LaneHandlers.Apply<SaturatedLane<FlushedLane<T>>, Words, Words, TB, TC>,
        };

    private void FloatArithmetic(PtxInstruction i, PtxType type)
    {
        if (type.Bytes == 8)
        {
            EmitDouble(i, Real(i), type);
            return;
        }

        RoundingMode mode = ModeOf(i);
        EmitWord(i, mode == RoundingMode.NearestEven ? Nearest(i) : mode switch
        {
            RoundingMode.Zero => InDirection<TowardsZero, ToZero>(i),
            RoundingMode.Down => InDirection<Downwards, ToMinusInfinity>(i),
            _ => InDirection<Upwards, ToPlusInfinity>(i),
        }, type);
    }

    private static Handler Nearest(PtxInstruction i)
    {
        switch (i.Opcode)
        {
            case "add":
                return Binary<AddSingle>(i);
            case "sub":
                return Binary<SubSingle>(i);
            case "mul":
                return Binary<MulSingle>(i);
            case "fma" or "mad":
                return Ternary<FmaSingle>(i);
            case "div":
                return i.Has(".approx") ? Binary<DivApproximate>(i) : Binary<DivSingle>(i);
            case "abs":
                return Unary<AbsSingle>(i.Has(".ftz"));
            case "neg":
                return Unary<NegSingle>(i.Has(".ftz"));
            case "min" or "max" when i.Operands.Length > 3:
                throw No("the form with three operands is not executed");
            case "min" when i.Has(".xorsign"):
                return i.Has(".NaN") ? Binary<NaNWins<XorSign<MinSingle>>>(i) : Binary<XorSign<MinSingle>>(i);
            case "max" when i.Has(".xorsign"):
                return i.Has(".NaN") ? Binary<NaNWins<XorSign<MaxSingle>>>(i) : Binary<XorSign<MaxSingle>>(i);
            case "min":
                return i.Has(".NaN") ? Binary<NaNWins<MinSingle>>(i) : Binary<MinSingle>(i);
            case "max":
                return i.Has(".NaN") ? Binary<NaNWins<MaxSingle>>(i) : Binary<MaxSingle>(i);
            default:
                throw No("not for this type");
        }
    }

    private static Handler InDirection<TDirection, TRounding>(PtxInstruction i)
        where TDirection : struct, IDirection
        where TRounding : struct, IRounding => i.Opcode switch
        {
            "add" => Binary<AddDirected<TDirection>>(i),
            "sub" => Binary<SubDirected<TDirection>>(i),
            "mul" => Binary<MulDirected<TDirection>>(i),
            "fma" or "mad" => Ternary<FmaDirected<TDirection>>(i),
            "div" => Exact<DivExact<Float32, TRounding>, Words, Absent>(i),
            "rcp" => Exact<RcpExact<Float32, TRounding>, Absent, Absent>(i),
            "sqrt" => Exact<SqrtExact<Float32, TRounding>, Absent, Absent>(i),
            _ => throw No("not in this rounding"),
        };

    private static Handler Real(PtxInstruction i) => ModeOf(i) switch
    {
        RoundingMode.Zero => RealDirected<ToZero>(i),
        RoundingMode.Down => RealDirected<ToMinusInfinity>(i),
        RoundingMode.Up => RealDirected<ToPlusInfinity>(i),
        _ => i.Opcode switch
        {
            "add" => &VectorHandlers.BinaryDouble<AddReal>,
            "sub" => &VectorHandlers.BinaryDouble<SubReal>,
            "mul" => &VectorHandlers.BinaryDouble<MulReal>,
            "fma" or "mad" => &VectorHandlers.TernaryDouble<FmaReal>,
            "div" => &VectorHandlers.BinaryDouble<DivReal>,
            "min" => &VectorHandlers.BinaryDouble<MinReal>,
            "max" => &VectorHandlers.BinaryDouble<MaxReal>,
            "abs" => &VectorHandlers.UnaryDouble<AbsReal>,
            "neg" => &VectorHandlers.UnaryDouble<NegReal>,
            "rcp" => &VectorHandlers.UnaryDouble<RcpReal>,
            "sqrt" => &VectorHandlers.UnaryDouble<SqrtReal>,
            "rsqrt" => &VectorHandlers.UnaryDouble<RootReciprocalReal>,
            "copysign" => &VectorHandlers.BinaryDouble<CopySignReal>,
            _ => throw No("not for this type"),
        },
    };

    private static Handler RealDirected<T>(PtxInstruction i)
        where T : struct, IRounding => i.Opcode switch
        {
            "add" => &LaneHandlers.Apply<AddExact<Float64, T>, Doubles, Doubles, Doubles, Absent>,
            "sub" => &LaneHandlers.Apply<SubExact<Float64, T>, Doubles, Doubles, Doubles, Absent>,
            "mul" => &LaneHandlers.Apply<MulExact<Float64, T>, Doubles, Doubles, Doubles, Absent>,
            "fma" or "mad" => &LaneHandlers.Apply<FmaExact<Float64, T>, Doubles, Doubles, Doubles, Doubles>,
            "div" => &LaneHandlers.Apply<DivExact<Float64, T>, Doubles, Doubles, Doubles, Absent>,
            "rcp" => &LaneHandlers.Apply<RcpExact<Float64, T>, Doubles, Doubles, Absent, Absent>,
            "sqrt" => &LaneHandlers.Apply<SqrtExact<Float64, T>, Doubles, Doubles, Absent, Absent>,
            _ => throw No("not in this rounding"),
        };

    private void FloatFunction(PtxInstruction i)
    {
        PtxType type = i.Types is [var only] ? only : throw No("wanted one type");
        if (i.Opcode == "testp")
        {
            TestFloat(i, type);
            return;
        }

        if (type.ElementBytes == 2)
        {
            HalfArithmetic(i, type);
            return;
        }

        if (type.Bytes == 8)
        {
            EmitDouble(i, Real(i), type);
            return;
        }

        bool flushes = i.Has(".ftz");
        Handler handler = i.Opcode switch
        {
            "rcp" => ModeOf(i) == RoundingMode.NearestEven
                ? (i.Has(".approx") ? Unary<InDouble<Reciprocal>>(flushes) : Unary<RcpSingle>(flushes))
                : Directed(i),
            "sqrt" => ModeOf(i) == RoundingMode.NearestEven ? Unary<SqrtSingle>(flushes) : Directed(i),
            "rsqrt" => Unary<InDouble<ReciprocalRoot>>(flushes),
            "ex2" => Unary<InDouble<Exp2>>(flushes),
            "lg2" => Unary<InDouble<Log2>>(flushes),
            "sin" => Unary<InDouble<Sine>>(flushes),
            "cos" => Unary<InDouble<Cosine>>(flushes),
            "tanh" => Unary<InDouble<HyperbolicTangent>>(flushes),
            _ => &VectorHandlers.Binary<CopySign>,
        };
        EmitWord(i, handler, type);
    }

    private static Handler Directed(PtxInstruction i) => ModeOf(i) switch
    {
        RoundingMode.Zero => InDirection<TowardsZero, ToZero>(i),
        RoundingMode.Down => InDirection<Downwards, ToMinusInfinity>(i),
        _ => InDirection<Upwards, ToPlusInfinity>(i),
    };

    private void TestFloat(PtxInstruction i, PtxType type)
    {
        int kind = Array.IndexOf([".finite", ".infinite", ".number", ".notanumber", ".normal", ".subnormal"], i.Modifiers[0]);
        bool wide = type.Bytes == 8;
        int a = wide ? Double(i.Operands[1], type) : Word(i.Operands[1], type);
        ref Instr test = ref Emit(wide ? &FloatTests.Test<Doubles, Float64> : &FloatTests.Test<Words, Float32>, PredicateResult(i.Operands[0]), a);
        test.F = kind;
    }

    private void HalfArithmetic(PtxInstruction i, PtxType type)
    {
        bool packed = type.Elements == 2;
        Handler handler = type.Kind == PtxKind.BFloat ? Half<BFloat16>(i, packed) : Half<Float16>(i, packed);
        EmitWord(i, handler, packed ? U32 : type);
    }

    private static Handler Half<TFormat>(PtxInstruction i, bool packed)
        where TFormat : struct, IFloatFormat => i.Opcode switch
        {
            "add" => HalfModified<AddHalf<TFormat>, TFormat>(i, packed),
            "sub" => HalfModified<SubHalf<TFormat>, TFormat>(i, packed),
            "mul" => HalfModified<MulHalf<TFormat>, TFormat>(i, packed),
            "fma" => HalfModified<FmaHalf<TFormat>, TFormat>(i, packed),
            "min" => i.Has(".NaN")
                ? HalfModified<NaNWinsHalf<MinHalf<TFormat>, TFormat>, TFormat>(i, packed)
                : HalfModified<MinHalf<TFormat>, TFormat>(i, packed),
            "max" => i.Has(".NaN")
                ? HalfModified<NaNWinsHalf<MaxHalf<TFormat>, TFormat>, TFormat>(i, packed)
                : HalfModified<MaxHalf<TFormat>, TFormat>(i, packed),
            "neg" => HalfModified<NegHalf, TFormat>(i, packed),
            "abs" => HalfModified<AbsHalf, TFormat>(i, packed),
            "ex2" => HalfModified<Exp2Half<TFormat>, TFormat>(i, packed),
            "tanh" => HalfModified<TanhHalf<TFormat>, TFormat>(i, packed),
            _ => throw No("not for this type"),
        };

    private static Handler HalfModified<T, TFormat>(PtxInstruction i, bool packed)
        where T : struct, ILaneOperation
        where TFormat : struct, IFloatFormat
    {
        if (i.Has(".xorsign") || i.Has(".oob"))
        {
            throw No("not with these modifiers");
        }

        // bf16 exponentials flush by name, but bf16 has the exponents of fp32.
        return (i.Has(".ftz"), i.Has(".sat"), i.Has(".relu")) switch
        {
            (false, false, false) => HalfHandler<T>(packed),
            (true, false, false) => HalfHandler<FlushedHalf<T, TFormat>>(packed),
            (false, true, false) => HalfHandler<SaturatedFloat<T, TFormat>>(packed),
            (true, true, false) => HalfHandler<SaturatedFloat<FlushedHalf<T, TFormat>, TFormat>>(packed),
            (false, false, true) => HalfHandler<ReluFloat<T, TFormat>>(packed),
            (true, false, true) => HalfHandler<ReluFloat<FlushedHalf<T, TFormat>, TFormat>>(packed),
            _ => throw No("not with these modifiers"),
        };
    }

    private static Handler HalfHandler<T>(bool packed)
        where T : struct, ILaneOperation =>
        packed ? &LaneHandlers.Apply<Packed<T>, Words, Words, Words, Words> : &LaneHandlers.Apply<T, Words, Words, Words, Words>;
}
