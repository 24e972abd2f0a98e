using CoGrpo.CudaEmulator.Operations;
using CoGrpo.CudaEmulator.Ptx;
using unsafe Handler = delegate*<CoGrpo.CudaEmulator.Execution.Warp, CoGrpo.CudaEmulator.Compilation.Instr*, CoGrpo.CudaEmulator.Compilation.Instr*>;

namespace CoGrpo.CudaEmulator.Compilation;

/// <summary>atom and red.</summary>
internal sealed unsafe partial class FunctionBuilder
{
    private static readonly string[] AtomicNames = [".and", ".or", ".xor", ".exch", ".cas", ".add", ".inc", ".dec", ".min", ".max"];

    private void Atomic(PtxInstruction i)
    {
        PtxType type = i.Types[^1];
        PtxSpace? space = SpaceOf(i);
        if (space is not (null or PtxSpace.Global or PtxSpace.Shared) || i.Operands.Any(o => o is PtxOperand.Vector))
        {
            throw No("not in this space or form");
        }

        bool returns = i.Opcode == "atom";
        int first = returns ? 1 : 0;
        string name = i.Modifiers.First(m => Array.IndexOf(AtomicNames, m) >= 0);
        bool wide = type.Bytes == 8;
        int b = wide ? Double(i.Operands[first + 1], type) : Word(i.Operands[first + 1], type);
        int c =
            i.Operands.Length > first + 2 && name == ".cas" ? (wide ? Double(i.Operands[first + 2], type) : Word(i.Operands[first + 2], type)) : 0;
        int d =
            !returns || i.Operands[0] is PtxOperand.Sink ? -1
            : wide ? DoubleResult(i.Operands[0])
            : WordResult(i.Operands[0]);
        Handler handler = type.Bytes switch
        {
            2 => Atomic16(name, type),
            4 => Atomic32(name, type),
            8 => Atomic64(name, type),
            _ => throw No("not for this type"),
        };
        ref Instr atomic = ref EmitAccess(i, handler, (PtxOperand.Address)i.Operands[first], [d, b, c]);
        atomic.Flags |= AccessFlags.Strong;
        atomic.Extra =
            (name == ".exch" ? AtomicOperations.WritesOnly : 0)
            | (
                space is null ? AtomicOperations.Generic
                : space == PtxSpace.Shared ? AtomicOperations.Shared
                : 0
            );
        _kernel.MayWait |= returns && space != PtxSpace.Shared;
    }

    private static Handler Atomic16(string name, PtxType type) => (name, type.Kind) switch
    {
        (".cas", _) => &AtomicOperations.Apply<CompareAndSwap, Words, Size16>,
        (".exch", _) => &AtomicOperations.Apply<Exchange, Words, Size16>,
        (".add", PtxKind.BFloat) => &AtomicOperations.Apply<AddHalf<BFloat16>, Words, Size16>,
        (".add", PtxKind.Float) => &AtomicOperations.Apply<AddHalf<Float16>, Words, Size16>,
        _ => throw No("not for this type"),
    };

    private static Handler Atomic32(string name, PtxType type) => (name, type.Kind, type.Elements) switch
    {
        (".cas", _, 1) => &AtomicOperations.Apply<CompareAndSwap, Words, Size32>,
        (".exch", _, 1) => &AtomicOperations.Apply<Exchange, Words, Size32>,
        (".add", PtxKind.BFloat, 2) => &AtomicOperations.Apply<Packed<AddHalf<BFloat16>>, Words, Size32>,
        (".add", PtxKind.Float, 2) => &AtomicOperations.Apply<Packed<AddHalf<Float16>>, Words, Size32>,
        (".min", PtxKind.BFloat, 2) => &AtomicOperations.Apply<Packed<MinHalf<BFloat16>>, Words, Size32>,
        (".min", PtxKind.Float, 2) => &AtomicOperations.Apply<Packed<MinHalf<Float16>>, Words, Size32>,
        (".max", PtxKind.BFloat, 2) => &AtomicOperations.Apply<Packed<MaxHalf<BFloat16>>, Words, Size32>,
        (".max", PtxKind.Float, 2) => &AtomicOperations.Apply<Packed<MaxHalf<Float16>>, Words, Size32>,
        (".add", PtxKind.Float, 1) => &AtomicOperations.Apply<AddSingleLane, Words, Size32>,
        (".add", _, 1) => &AtomicOperations.Apply<AddLane, Words, Size32>,
        (".inc", _, 1) => &AtomicOperations.Apply<Increment, Words, Size32>,
        (".dec", _, 1) => &AtomicOperations.Apply<Decrement, Words, Size32>,
        (".min", PtxKind.Signed, 1) => &AtomicOperations.Apply<MinLane, Words, Size32>,
        (".max", PtxKind.Signed, 1) => &AtomicOperations.Apply<MaxLane, Words, Size32>,
        (".min", PtxKind.Unsigned, 1) => &AtomicOperations.Apply<MinUnsignedLane, Words, Size32>,
        (".max", PtxKind.Unsigned, 1) => &AtomicOperations.Apply<MaxUnsignedLane, Words, Size32>,
        (".and", _, 1) => &AtomicOperations.Apply<AndLane, Words, Size32>,
        (".or", _, 1) => &AtomicOperations.Apply<OrLane, Words, Size32>,
        (".xor", _, 1) => &AtomicOperations.Apply<XorLane, Words, Size32>,
        _ => throw No("not for this type"),
    };

    private static Handler Atomic64(string name, PtxType type) => (name, type.Kind) switch
    {
        (".cas", _) => &AtomicOperations.Apply<CompareAndSwap, Doubles, Size64>,
        (".exch", _) => &AtomicOperations.Apply<Exchange, Doubles, Size64>,
        (".add", PtxKind.Float) => &AtomicOperations.Apply<AddRealLane, Doubles, Size64>,
        (".add", _) => &AtomicOperations.Apply<AddLane, Doubles, Size64>,
        (".min", PtxKind.Signed) => &AtomicOperations.Apply<MinSignedLane64, Doubles, Size64>,
        (".max", PtxKind.Signed) => &AtomicOperations.Apply<MaxSignedLane64, Doubles, Size64>,
        (".min", PtxKind.Unsigned) => &AtomicOperations.Apply<MinUnsignedLane, Doubles, Size64>,
        (".max", PtxKind.Unsigned) => &AtomicOperations.Apply<MaxUnsignedLane, Doubles, Size64>,
        (".and", _) => &AtomicOperations.Apply<AndLane, Doubles, Size64>,
        (".or", _) => &AtomicOperations.Apply<OrLane, Doubles, Size64>,
        (".xor", _) => &AtomicOperations.Apply<XorLane, Doubles, Size64>,
        _ => throw No("not for this type"),
    };

    /// <summary>
    /// Whether a plain load only guesses the value for a compare-and-swap, which checks the guess: the usual way to build atomics that the device
    /// lacks. It is recognised by its address or by its result, one of which the compare-and-swap names too. It counts as a strong access.
    /// </summary>
    private bool IsGuess(PtxOperand.Address address, PtxOperand result)
    {
        if (_swapped is null)
        {
            _swapped = [];
            foreach (PtxInstruction swap in _graph.Blocks.SelectMany(b => b.Body).Where(i => i.Opcode == "atom" && i.Has(".cas")))
            {
                var place = (PtxOperand.Address)swap.Operands[1];
                _swapped.Add((_aliases.Resolve(place.Base ?? new PtxOperand.Sink()), place.Offset));
                _swapped.Add((_aliases.Resolve(swap.Operands[2]), null));
            }
        }

        return _swapped.Count > 0
            && (
                _swapped.Contains((_aliases.Resolve(address.Base ?? new PtxOperand.Sink()), address.Offset))
                || _swapped.Contains((_aliases.Resolve(result), null))
            );
    }
}
