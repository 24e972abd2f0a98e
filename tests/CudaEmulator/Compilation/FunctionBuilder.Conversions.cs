using CoGrpo.CudaEmulator.Memory;
using CoGrpo.CudaEmulator.Operations;
using CoGrpo.CudaEmulator.Ptx;
using unsafe Handler = delegate*<CoGrpo.CudaEmulator.Execution.Warp, CoGrpo.CudaEmulator.Compilation.Instr*, CoGrpo.CudaEmulator.Compilation.Instr*>;

namespace CoGrpo.CudaEmulator.Compilation;

/// <summary>cvt, cvta, isspacep.</summary>
internal sealed unsafe partial class FunctionBuilder
{
    private void Conversion(PtxInstruction i)
    {
        switch (i.Opcode)
        {
            case "cvta":
                ConvertAddress(i);
                break;
            case "isspacep":
                int address = Double(i.Operands[1], U64);
                ulong window = SpaceOf(i) switch
                {
                    PtxSpace.Shared => 1UL,
                    PtxSpace.Local => 2,
                    PtxSpace.Parameter => 3,
                    PtxSpace.Constant => 4,
                    _ => 0,
                };
                Emit(&GenericOperations.IsIn, PredicateResult(i.Operands[0]), address).Value = (long)window;
                break;
            case "cvt" when i.Has(".pack"):
                EmitWord(
                    i,
                    i.Types switch
                    {
                        [{ Bytes: 2, IsSigned: true }, { IsSigned: true, Bytes: 4 }] => &LaneHandlers.Apply<
                            PackHalves<Yes>,
                            Words,
                            Words,
                            Words,
                            Absent
                        >,
                        [{ Bytes: 2, IsSigned: false }, { IsSigned: true, Bytes: 4 }] => &LaneHandlers.Apply<
                            PackHalves<No>,
                            Words,
                            Words,
                            Words,
                            Absent
                        >,
                        [{ Bytes: 1, IsSigned: true }, { IsSigned: true, Bytes: 4 }, { Bytes: 4 }] => &LaneHandlers.Apply<
                            PackBytes<Yes>,
                            Words,
                            Words,
                            Words,
                            Words
                        >,
                        [{ Bytes: 1, IsSigned: false }, { IsSigned: true, Bytes: 4 }, { Bytes: 4 }] => &LaneHandlers.Apply<
                            PackBytes<No>,
                            Words,
                            Words,
                            Words,
                            Words
                        >,
                        _ => throw No("not for these types"),
                    },
                    U32
                );
                break;
            case "cvt" when i.Types is [var to, var from]:
                Convert(i, to, from);
                break;
            default:
                throw No("wanted two types");
        }
    }

    private void ConvertAddress(PtxInstruction i)
    {
        bool toSpace = i.Has(".to");
        ulong window = SpaceOf(i) switch
        {
            PtxSpace.Shared => Windows.Shared,
            PtxSpace.Local => Windows.Local,
            PtxSpace.Parameter => Windows.Parameter,
            _ => 0,
        };
        if (i.Types[0].Bytes == 4)
        {
            Emit(&VectorHandlers.Unary<Operations.Copy>, WordResult(i.Operands[0]), Word(i.Operands[1], U32));
            return;
        }

        int a = Double(i.Operands[1], U64);
        if (window == 0)
        {
            Emit(&VectorHandlers.UnaryDouble<Copy64>, DoubleResult(i.Operands[0]), a);
        }
        else
        {
            Emit(
                toSpace ? &VectorHandlers.BinaryDouble<And64> : &VectorHandlers.BinaryDouble<Or64>,
                DoubleResult(i.Operands[0]),
                a,
                ConstantDouble(toSpace ? Windows.Offset : window)
            );
        }
    }

    private void Convert(PtxInstruction i, PtxType to, PtxType from)
    {
        PtxOperand result = i.Operands[0];
        if (to.Elements == 2)
        {
            int upper = Word(i.Operands[1], from);
            int lower = Word(i.Operands[2], from);
            Emit(PairConversion(i, to), WordResult(result), upper, lower);
            return;
        }

        int a = from.Bytes == 8 ? Double(i.Operands[1], from) : Word(i.Operands[1], from);
        bool wideRegister = IsDouble(result);
        if (to.Bytes == 8)
        {
            Emit(ConversionHandler(i, to, from), DoubleResult(result), a);
            return;
        }

        int slot = wideRegister ? TemporaryWord() : WordResult(result);
        if (!to.IsFloat && !from.IsFloat && !i.Has(".sat"))
        {
            if (from.Bytes == 8)
            {
                int low = TemporaryWord();
                Emit(&BankConversions.NarrowLow, low, a);
                a = low;
            }

            int width = Math.Min(to.Bytes, from.Bytes);
            bool signed = from.Bytes < to.Bytes ? from.IsSigned : to.IsSigned;
            Emit((width, signed) switch
            {
                (1, true) => &VectorHandlers.Unary<SignExtend8>,
                (1, false) => &VectorHandlers.Unary<ZeroExtend8>,
                (2, true) => &VectorHandlers.Unary<SignExtend16>,
                (2, false) => &VectorHandlers.Unary<ZeroExtend16>,
                _ => &VectorHandlers.Unary<Operations.Copy>,
            }, slot, a);
        }
        else
        {
            Emit(ConversionHandler(i, to, from), slot, a);
        }

        if (result is PtxOperand.Register { Value.Type.Bytes: 2 })
        {
            Emit(&VectorHandlers.Unary<ZeroExtend16>, slot, slot);
        }
        else if (wideRegister)
        {
            Emit(to.IsSigned ? &BankConversions.WidenSigned : &BankConversions.WidenUnsigned, DoubleResult(result), slot);
        }
    }

    private static Handler ConversionHandler(PtxInstruction i, PtxType to, PtxType from)
    {
        if (to.Kind == PtxKind.TFloat)
        {
            return i.Has(".rna") ? Banked<ToTensorFloat<ToNearestAway>>(to, from)
                : ModeOf(i) == RoundingMode.Zero ? Banked<ToTensorFloat<ToZero>>(to, from)
                : Banked<ToTensorFloat<ToNearest>>(to, from);
        }

        return (to.IsFloat, from.IsFloat) switch
        {
            (false, false) => IntegerConversion(i, to, from),
            (false, true) => FloatToIntegerConversion(i, to, from),
            (true, false) => IntegerToFloatConversion(i, to, from),
            _ => FloatConversion(i, to, from),
        };
    }

    /// <summary>Direction of rounding to whole numbers: rni, rzi, rmi, rpi.</summary>
    private static RoundingMode WholeMode(PtxInstruction i) =>
        i.Has(".rni") ? RoundingMode.NearestEven
        : i.Has(".rmi") ? RoundingMode.Down
        : i.Has(".rpi") ? RoundingMode.Up
        : RoundingMode.Zero;

    private static Handler Banked<T>(PtxType to, PtxType from)
        where T : struct, ILaneOperation => (to.Bytes == 8, from.Bytes == 8) switch
        {
            (false, false) => &LaneHandlers.Apply<T, Words, Words, Absent, Absent>,
            (false, true) => &LaneHandlers.Apply<T, Words, Doubles, Absent, Absent>,
            (true, false) => &LaneHandlers.Apply<T, Doubles, Words, Absent, Absent>,
            (true, true) => &LaneHandlers.Apply<T, Doubles, Doubles, Absent, Absent>,
        };

    private static Handler IntegerConversion(PtxInstruction i, PtxType to, PtxType from)
    {
        if (!i.Has(".sat"))
        {
            // To 64 bits: what is narrower is extended in its register first by its own type.
            return (from.Bytes, from.IsSigned) switch
            {
                (8, _) => &VectorHandlers.UnaryDouble<Copy64>,
                (4, true) => &BankConversions.WidenSigned,
                (4, false) => &BankConversions.WidenUnsigned,
                (2, true) => Banked<IntegerToInteger<S64, S16, No>>(to, from),
                (2, false) => Banked<IntegerToInteger<U64, U16, No>>(to, from),
                (_, true) => Banked<IntegerToInteger<S64, S8, No>>(to, from),
                _ => Banked<IntegerToInteger<U64, U8, No>>(to, from),
            };
        }

        return (to.Bytes, to.IsSigned) switch
        {
            (1, false) => SaturatingFrom<U8>(to, from),
            (1, true) => SaturatingFrom<S8>(to, from),
            (2, false) => SaturatingFrom<U16>(to, from),
            (2, true) => SaturatingFrom<S16>(to, from),
            (4, false) => SaturatingFrom<Operations.U32>(to, from),
            (4, true) => SaturatingFrom<S32>(to, from),
            (_, false) => SaturatingFrom<Operations.U64>(to, from),
            _ => SaturatingFrom<S64>(to, from),
        };
    }

    private static Handler SaturatingFrom<TTo>(PtxType to, PtxType from)
        where TTo : struct, IIntegerType => (from.Bytes, from.IsSigned) switch
        {
            (1, false) => Banked<IntegerToInteger<TTo, U8, Yes>>(to, from),
            (1, true) => Banked<IntegerToInteger<TTo, S8, Yes>>(to, from),
            (2, false) => Banked<IntegerToInteger<TTo, U16, Yes>>(to, from),
            (2, true) => Banked<IntegerToInteger<TTo, S16, Yes>>(to, from),
            (4, false) => Banked<IntegerToInteger<TTo, Operations.U32, Yes>>(to, from),
            (4, true) => Banked<IntegerToInteger<TTo, S32, Yes>>(to, from),
            (_, false) => Banked<IntegerToInteger<TTo, Operations.U64, Yes>>(to, from),
            _ => Banked<IntegerToInteger<TTo, S64, Yes>>(to, from),
        };

    private static Handler FloatToIntegerConversion(PtxInstruction i, PtxType to, PtxType from)
    {
        if (from is { Kind: PtxKind.Float, Bytes: 4 } && to.Bytes == 4)
        {
            return (to.IsSigned, WholeMode(i)) switch
            {
                (true, RoundingMode.NearestEven) => FlushedFirst<SingleToSigned<RoundEven>>(i),
                (true, RoundingMode.Down) => FlushedFirst<SingleToSigned<RoundDown>>(i),
                (true, RoundingMode.Up) => FlushedFirst<SingleToSigned<RoundUp>>(i),
                (true, _) => FlushedFirst<SingleToSigned<RoundZero>>(i),
                (false, RoundingMode.NearestEven) => FlushedFirst<SingleToUnsigned<RoundEven>>(i),
                (false, RoundingMode.Down) => FlushedFirst<SingleToUnsigned<RoundDown>>(i),
                (false, RoundingMode.Up) => FlushedFirst<SingleToUnsigned<RoundUp>>(i),
                (false, _) => FlushedFirst<SingleToUnsigned<RoundZero>>(i),
            };
        }

        return (to.Bytes, to.IsSigned) switch
        {
            (1, false) => FloatTo<U8>(i, to, from),
            (1, true) => FloatTo<S8>(i, to, from),
            (2, false) => FloatTo<U16>(i, to, from),
            (2, true) => FloatTo<S16>(i, to, from),
            (4, false) => FloatTo<Operations.U32>(i, to, from),
            (4, true) => FloatTo<S32>(i, to, from),
            (_, false) => FloatTo<Operations.U64>(i, to, from),
            _ => FloatTo<S64>(i, to, from),
        };
    }

    private static Handler FlushedFirst<T>(PtxInstruction i)
        where T : struct, IWordOperation => i.Has(".ftz") ? &VectorHandlers.Unary<FlushedOperand<T>> : &VectorHandlers.Unary<T>;

    private static Handler FloatTo<TTo>(PtxInstruction i, PtxType to, PtxType from)
        where TTo : struct, IIntegerType => (from.Kind, from.Bytes) switch
        {
            (PtxKind.BFloat, _) => FloatTo<TTo, BFloat16>(i, to, from),
            (_, 2) => FloatTo<TTo, Float16>(i, to, from),
            (_, 4) => FloatTo<TTo, Float32>(i, to, from),
            _ => FloatTo<TTo, Float64>(i, to, from),
        };

    private static Handler FloatTo<TTo, TFormat>(PtxInstruction i, PtxType to, PtxType from)
        where TTo : struct, IIntegerType
        where TFormat : struct, IFloatFormat => (WholeMode(i), i.Has(".ftz")) switch
        {
            (RoundingMode.NearestEven, _) => Banked<FloatToInteger<TTo, TFormat, ToNearest>>(to, from),
            (RoundingMode.Down, false) => Banked<FloatToInteger<TTo, TFormat, ToMinusInfinity>>(to, from),
            (RoundingMode.Up, false) => Banked<FloatToInteger<TTo, TFormat, ToPlusInfinity>>(to, from),
            (RoundingMode.Down, true) => Banked<FlushedOperandLane<FloatToInteger<TTo, TFormat, ToMinusInfinity>, TFormat>>(to, from),
            (RoundingMode.Up, true) => Banked<FlushedOperandLane<FloatToInteger<TTo, TFormat, ToPlusInfinity>, TFormat>>(to, from),
            _ => Banked<FloatToInteger<TTo, TFormat, ToZero>>(to, from),
        };

    private static Handler IntegerToFloatConversion(PtxInstruction i, PtxType to, PtxType from)
    {
        RoundingMode mode = ModeOf(i);
        if (to is { Kind: PtxKind.Float, Bytes: 4 } && from.Bytes == 4 && mode == RoundingMode.NearestEven)
        {
            return from.IsSigned ? Unary<SignedToSingle>(false, i.Has(".sat")) : Unary<UnsignedToSingle>(false, i.Has(".sat"));
        }

        if (i.Has(".sat"))
        {
            throw No("not with saturation");
        }

        return mode switch
        {
            RoundingMode.Zero => IntegerToFloat<ToZero>(to, from),
            RoundingMode.Down => IntegerToFloat<ToMinusInfinity>(to, from),
            RoundingMode.Up => IntegerToFloat<ToPlusInfinity>(to, from),
            _ => IntegerToFloat<ToNearest>(to, from),
        };
    }

    private static Handler IntegerToFloat<TRounding>(PtxType to, PtxType from)
        where TRounding : struct, IRounding => (to.Kind, to.Bytes) switch
        {
            (PtxKind.BFloat, _) => IntegerToFloat<BFloat16, TRounding>(to, from),
            (_, 2) => IntegerToFloat<Float16, TRounding>(to, from),
            (_, 4) => IntegerToFloat<Float32, TRounding>(to, from),
            _ => IntegerToFloat<Float64, TRounding>(to, from),
        };

    private static Handler IntegerToFloat<TFormat, TRounding>(PtxType to, PtxType from)
        where TFormat : struct, IFloatFormat
        where TRounding : struct, IRounding => (from.Bytes, from.IsSigned) switch
        {
            (1, false) => Banked<IntegerToFloat<TFormat, U8, TRounding>>(to, from),
            (1, true) => Banked<IntegerToFloat<TFormat, S8, TRounding>>(to, from),
            (2, false) => Banked<IntegerToFloat<TFormat, U16, TRounding>>(to, from),
            (2, true) => Banked<IntegerToFloat<TFormat, S16, TRounding>>(to, from),
            (4, false) => Banked<IntegerToFloat<TFormat, Operations.U32, TRounding>>(to, from),
            (4, true) => Banked<IntegerToFloat<TFormat, S32, TRounding>>(to, from),
            (_, false) => Banked<IntegerToFloat<TFormat, Operations.U64, TRounding>>(to, from),
            _ => Banked<IntegerToFloat<TFormat, S64, TRounding>>(to, from),
        };

    private static Handler FloatConversion(PtxInstruction i, PtxType to, PtxType from)
    {
        bool whole = i.Has(".rni") || i.Has(".rzi") || i.Has(".rmi") || i.Has(".rpi");
        if (to == from)
        {
            return to.Bytes switch
            {
                4 when to.Kind == PtxKind.Float => !whole ? Unary<Operations.Copy>(i.Has(".ftz"), i.Has(".sat")) : WholeMode(i) switch
                {
                    RoundingMode.NearestEven => Unary<RoundEven>(i.Has(".ftz"), i.Has(".sat")),
                    RoundingMode.Down => Unary<RoundDown>(i.Has(".ftz"), i.Has(".sat")),
                    RoundingMode.Up => Unary<RoundUp>(i.Has(".ftz"), i.Has(".sat")),
                    _ => Unary<RoundZero>(i.Has(".ftz"), i.Has(".sat")),
                },
                8 => (whole, WholeMode(i), i.Has(".sat")) switch
                {
                    (false, _, false) => &VectorHandlers.UnaryDouble<Copy64>,
                    (false, _, true) => &VectorHandlers.UnaryDouble<SaturatedReal<Copy64>>,
                    (_, RoundingMode.NearestEven, false) => &VectorHandlers.UnaryDouble<RoundEvenReal>,
                    (_, RoundingMode.Down, false) => &VectorHandlers.UnaryDouble<RoundDownReal>,
                    (_, RoundingMode.Up, false) => &VectorHandlers.UnaryDouble<RoundUpReal>,
                    (_, RoundingMode.Zero, false) => &VectorHandlers.UnaryDouble<RoundZeroReal>,
                    _ => throw No("not with saturation"),
                },
                _ => to.Kind == PtxKind.BFloat ? HalfToHalf<BFloat16>(i, to, from, whole) : HalfToHalf<Float16>(i, to, from, whole),
            };
        }

        RoundingMode mode = ModeOf(i);
        if (mode == RoundingMode.NearestEven && !i.Has(".sat") && !i.Has(".relu") && !i.Has(".ftz"))
        {
            switch (to.Kind, to.Bytes, from.Kind, from.Bytes)
            {
                case (PtxKind.Float, 8, PtxKind.Float, 4):
                    return &BankConversions.SingleToDouble;
                case (PtxKind.Float, 4, PtxKind.Float, 8):
                    return &BankConversions.DoubleToSingle;
                case (PtxKind.BFloat, 2, PtxKind.Float, 4):
                    return &VectorHandlers.Unary<SingleToBFloat16>;
                case (PtxKind.Float, 4, PtxKind.BFloat, 2):
                    return &VectorHandlers.Unary<BFloat16ToSingle>;
                default:
                    break;
            }
        }

        return mode switch
        {
            RoundingMode.Zero => FloatToFloat<ToZero>(i, to, from),
            RoundingMode.Down => FloatToFloat<ToMinusInfinity>(i, to, from),
            RoundingMode.Up => FloatToFloat<ToPlusInfinity>(i, to, from),
            _ => FloatToFloat<ToNearest>(i, to, from),
        };
    }

    private static Handler HalfToHalf<TFormat>(PtxInstruction i, PtxType to, PtxType from, bool whole)
        where TFormat : struct, IFloatFormat
    {
        if (i.Has(".sat") && whole)
        {
            throw No("not with saturation");
        }

        return (whole, WholeMode(i), i.Has(".sat")) switch
        {
            (false, _, false) => &VectorHandlers.Unary<Operations.Copy>,
            (false, _, true) => Banked<SaturatedFloat<FloatToFloat<TFormat, TFormat, ToNearest>, TFormat>>(to, from),
            (_, RoundingMode.NearestEven, _) => Banked<FloatToWhole<TFormat, ToNearest>>(to, from),
            (_, RoundingMode.Down, _) => Banked<FloatToWhole<TFormat, ToMinusInfinity>>(to, from),
            (_, RoundingMode.Up, _) => Banked<FloatToWhole<TFormat, ToPlusInfinity>>(to, from),
            _ => Banked<FloatToWhole<TFormat, ToZero>>(to, from),
        };
    }

    private static Handler FloatToFloat<TRounding>(PtxInstruction i, PtxType to, PtxType from)
        where TRounding : struct, IRounding => (to.Kind, to.Bytes) switch
        {
            (PtxKind.BFloat, _) => FloatFrom<BFloat16, TRounding>(i, to, from),
            (_, 2) => FloatFrom<Float16, TRounding>(i, to, from),
            (_, 4) => FloatFrom<Float32, TRounding>(i, to, from),
            _ => FloatFrom<Float64, TRounding>(i, to, from),
        };

    private static Handler FloatFrom<TTo, TRounding>(PtxInstruction i, PtxType to, PtxType from)
        where TTo : struct, IFloatFormat
        where TRounding : struct, IRounding => (from.Kind, from.Bytes) switch
        {
            (PtxKind.BFloat, _) => FloatModified<TTo, FloatToFloat<TTo, BFloat16, TRounding>, BFloat16>(i, to, from),
            (_, 2) => FloatModified<TTo, FloatToFloat<TTo, Float16, TRounding>, Float16>(i, to, from),
            (_, 4) => FloatModified<TTo, FloatToFloat<TTo, Float32, TRounding>, Float32>(i, to, from),
            _ => FloatModified<TTo, FloatToFloat<TTo, Float64, TRounding>, Float64>(i, to, from),
        };

    private static Handler FloatModified<TTo, T, TFrom>(PtxInstruction i, PtxType to, PtxType from)
        where TTo : struct, IFloatFormat
        where T : struct, ILaneOperation
        where TFrom : struct, IFloatFormat => (i.Has(".sat"), i.Has(".relu"), i.Has(".ftz")) switch
        {
            (false, false, false) => Banked<T>(to, from),
            (true, false, false) => Banked<SaturatedFloat<T, TTo>>(to, from),
            (false, true, false) => Banked<ReluFloat<T, TTo>>(to, from),
            (false, false, true) => Banked<FlushedConversion<T, TFrom, TTo>>(to, from),
            (true, false, true) => Banked<SaturatedFloat<FlushedConversion<T, TFrom, TTo>, TTo>>(to, from),
            _ => throw No("not with these modifiers"),
        };

    private static Handler PairConversion(PtxInstruction i, PtxType to)
    {
        bool relu = i.Has(".relu");
        return (to.Kind == PtxKind.BFloat, ModeOf(i) == RoundingMode.Zero, relu) switch
        {
            (true, false, false) => &VectorHandlers.Binary<PackBFloat16>,
            (true, false, true) => &LaneHandlers.Apply<PackPair<BFloat16, ToNearest, Yes>, Words, Words, Words, Absent>,
            (true, true, false) => &LaneHandlers.Apply<PackPair<BFloat16, ToZero, No>, Words, Words, Words, Absent>,
            (true, true, true) => &LaneHandlers.Apply<PackPair<BFloat16, ToZero, Yes>, Words, Words, Words, Absent>,
            (false, false, false) => &LaneHandlers.Apply<PackPair<Float16, ToNearest, No>, Words, Words, Words, Absent>,
            (false, false, true) => &LaneHandlers.Apply<PackPair<Float16, ToNearest, Yes>, Words, Words, Words, Absent>,
            (false, true, false) => &LaneHandlers.Apply<PackPair<Float16, ToZero, No>, Words, Words, Words, Absent>,
            (false, true, true) => &LaneHandlers.Apply<PackPair<Float16, ToZero, Yes>, Words, Words, Words, Absent>,
        };
    }
}
