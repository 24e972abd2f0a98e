using System.Runtime.Intrinsics;
using CoGrpo.CudaEmulator.Operations;
using CoGrpo.CudaEmulator.Ptx;

namespace CoGrpo.CudaEmulator.Compilation;

/// <summary>Moves, packing and unpacking, calls.</summary>
internal sealed unsafe partial class FunctionBuilder
{
    private void Move(PtxInstruction i)
    {
        PtxType type = i.Types is [var only] ? only : throw No("wanted one type");
        PtxOperand to = i.Operands[0];
        PtxOperand from = i.Operands[1];
        if (type.IsPredicate)
        {
            int source = Predicate(from, out uint flip);
            Emit(&Predicates.Move, PredicateResult(to), source).E = (int)flip;
        }
        else if (from is PtxOperand.Vector parts)
        {
            Pack(to, parts.Items, type.Bytes);
        }
        else if (to is PtxOperand.Vector results)
        {
            Unpack(results.Items, from, type);
        }
        else if (type.Bytes == 8)
        {
            Emit(&VectorHandlers.UnaryDouble<Copy64>, DoubleResult(to), Double(from, type));
        }
        else if (type.Bytes == 16)
        {
            throw No("128-bit registers are not executed");
        }
        else
        {
            Emit(&VectorHandlers.Unary<Operations.Copy>, WordResult(to), Word(from, type));
        }
    }

    /// <summary>Puts parts together, the first lowest.</summary>
    private void Pack(PtxOperand to, PtxOperand[] parts, int bytes)
    {
        int each = bytes / parts.Length;
        if (bytes == 8)
        {
            int half = parts.Length / 2;
            int low = each == 4 ? Word(parts[0], U32) : PackedWord(parts[..half], each);
            int high = each == 4 ? Word(parts[1], U32) : PackedWord(parts[half..], each);
            Emit(&BankConversions.Join, DoubleResult(to), low, high);
        }
        else
        {
            Emit(&VectorHandlers.Unary<Operations.Copy>, WordResult(to), PackedWord(parts, each));
        }
    }

    private int PackedWord(PtxOperand[] parts, int each)
    {
        int sum = Word(parts[0], new PtxType(PtxKind.Bits, each));
        for (int k = 1; k < parts.Length; k++)
        {
            int shifted = TemporaryWord();
            Emit(&VectorHandlers.Binary<ShiftLeft>, shifted, Word(parts[k], new PtxType(PtxKind.Bits, each)), Constant((uint)(8 * each * k)));
            int joined = TemporaryWord();
            Emit(&VectorHandlers.Binary<Or>, joined, sum, shifted);
            sum = joined;
        }

        return sum;
    }

    private void Unpack(PtxOperand[] results, PtxOperand from, PtxType type)
    {
        int each = type.Bytes / results.Length;
        int low;
        int high = 0;
        if (type.Bytes == 8)
        {
            int source = Double(from, type);
            low = TemporaryWord();
            high = TemporaryWord();
            Emit(&BankConversions.NarrowLow, low, source);
            Emit(&BankConversions.NarrowHigh, high, source);
        }
        else
        {
            low = TemporaryWord();
            Emit(&VectorHandlers.Unary<Operations.Copy>, low, Word(from, type));
        }

        for (int k = 0; k < results.Length; k++)
        {
            int word = k * each < 4 ? low : high;
            int shift = k * each % 4 * 8;
            if (results[k] is PtxOperand.Sink)
            {
                continue;
            }

            int to = WordResult(results[k]);
            switch (each)
            {
                case 4:
                    Emit(&VectorHandlers.Unary<Operations.Copy>, to, word);
                    break;
                case 2 or 1:
                    int shifted = TemporaryWord();
                    Emit(&VectorHandlers.Binary<ShiftRightUnsigned>, shifted, word, Constant((uint)shift));
                    Emit(each == 2 ? &VectorHandlers.Unary<ZeroExtend16> : &VectorHandlers.Unary<ZeroExtend8>, to, shifted);
                    break;
                default:
                    throw No("the parts have a size that is not read");
            }
        }
    }

    private void Call(PtxInstruction i)
    {
        bool returns = i.Operands[0] is PtxOperand.Vector && i.Operands.Length > 1;
        PtxOperand[] results = returns ? ((PtxOperand.Vector)i.Operands[0]).Items : [];
        PtxOperand target = i.Operands[returns ? 1 : 0];
        int at = returns ? 2 : 1;
        PtxOperand[] arguments = i.Operands.Length > at && i.Operands[at] is PtxOperand.Vector list ? list.Items : [];
        string? name = (target as PtxOperand.Symbol)?.Name;
        FunctionCode? code = name is null ? null : _kernel.CodeOf(name);
        int[] argumentSlots = [.. arguments.SelectMany(argument => CallSlots(i, argument))];
        int[] resultSlots = [.. results.SelectMany(result => CallSlots(i, result))];
        if (name is not null && code is null)
        {
            CallSystem(name, argumentSlots, resultSlots);
            return;
        }

        int pointer = name is null ? Double(target, U64) : 0;
        ref Instr call = ref Emit(&Control.Call, 0, pointer);
        call.Extra = _kernel.Objects.Count;
        _kernel.Objects.Add(new CallSite { Target = code, Arguments = argumentSlots, Results = resultSlots });
        _kernel.HasCalls = true;
    }

    private IEnumerable<int> CallSlots(PtxInstruction i, PtxOperand operand) =>
        operand is PtxOperand.Symbol symbol && i.Scope.FindVariable(symbol.Name) is { } variable
            ? SlotsOf(variable)
            : throw No("arguments of a call: wanted variables of the parameter space");

    /// <summary>Functions that the system provides.</summary>
    private void CallSystem(string name, int[] arguments, int[] results)
    {
        switch (name)
        {
            case "vprintf":
                ref Instr print = ref Emit(&SystemCalls.Print, results[0], arguments[0], arguments[1], arguments[2]);
                print.E = arguments[3];
                break;
            case "__assertfail":
                ref Instr fail = ref Emit(&SystemCalls.AssertFail);
                fail.Extra = _kernel.Objects.Count;
                _kernel.Objects.Add(arguments);
                break;
            case "malloc":
                Emit(&SystemCalls.Allocate, results[0], arguments[0], arguments[1], results[1]);
                break;
            case "free":
                Emit(&SystemCalls.Free, 0, arguments[0], arguments[1]);
                break;
            default:
                throw No($"function {name} has no body and is none that the emulator provides");
        }
    }
}
