using System.Globalization;
using System.Runtime.Intrinsics.X86;
using CoGrpo.CudaEmulator.Operations;
using CoGrpo.CudaEmulator.Ptx;

namespace CoGrpo.CudaEmulator.Compilation;

/// <summary>mma, wmma, ldmatrix, stmatrix, movmatrix.</summary>
internal sealed unsafe partial class FunctionBuilder
{
    private void Multiply(PtxInstruction i)
    {
        if (i.Has(".sp") || i.Has(".sp::ordered_metadata") || i.Types is not [var typeD, var typeA, var typeB, var typeC])
        {
            throw No("the form is not executed");
        }

        (int rows, int columns, int depth) = ShapeOf(i);
        if (columns != 8)
        {
            throw No("the shape is not executed");
        }

        if (rows == 8 && depth == 4 && typeA is { Kind: PtxKind.Float, ElementBytes: 2 })
        {
            MultiplyQuads(i, typeD, typeC);
            return;
        }

        if (!i.Has(".row") || !i.Has(".col"))
        {
            throw No("wanted A by rows and B by columns");
        }

        MatrixElement a = ElementOf(typeA);
        bool real = a == MatrixElement.Real;
        MatrixMultiply m = new()
        {
            Rows = rows,
            Depth = depth,
            ElementA = a,
            ElementB = ElementOf(typeB),
            HalfSums = typeD.ElementBytes == 2,
            Saturates = i.Has(".satfinite"),
            D = [.. Items(i.Operands[0]).Select(o => real ? DoubleResult(o) : WordResult(o))],
            A = Fragment(i.Operands[1], real),
            B = Fragment(i.Operands[2], real),
            C = Fragment(i.Operands[3], real),
        };
        int perRegister = m.PerRegister;
        bool good = m.A.Length == rows * depth / (32 * perRegister) && m.B.Length == 8 * depth / (32 * perRegister) && m.C.Length == m.D.Length
            && m.C.Length == rows * 8 / (m.HalfSums ? 64 : 32) && typeC.ElementBytes == typeD.ElementBytes;
        if (!good)
        {
            throw No("the operands do not fit the shape");
        }

        bool fast = Avx512F.IsSupported && rows == 16 && perRegister == 2 && !m.HalfSums && m.ElementB == a;
        EmitObject(
            !fast ? &MatrixOperations.Multiply
                : a == MatrixElement.BFloat ? &MatrixOperations.MultiplyHalf<BFloat16Vector>
                : &MatrixOperations.MultiplyHalf<Float16Vector>,
            m
        );
    }

    /// <summary>Emits with an object as operand.</summary>
    private ref Instr EmitObject(delegate*<Execution.Warp, Instr*, Instr*> handler, object value)
    {
        ref Instr instr = ref Emit(handler);
        instr.Extra = _kernel.Objects.Count;
        _kernel.Objects.Add(value);
        return ref instr;
    }

    private static PtxOperand[] Items(PtxOperand operand) => operand is PtxOperand.Vector vector ? vector.Items : [operand];

    private int[] Fragment(PtxOperand operand, bool real) =>
        [.. Items(operand).Select(o => real ? Double(o, new PtxType(PtxKind.Float, 8)) : Word(o, U32))];

    private static (int Rows, int Columns, int Depth) ShapeOf(PtxInstruction i)
    {
        string shape =
            i.Modifiers.FirstOrDefault(m =>
                m.StartsWith(".m", StringComparison.Ordinal) && m.Contains('n', StringComparison.Ordinal) && m.Contains('k', StringComparison.Ordinal)
            ) ?? throw No("wanted a shape");
        int n = shape.IndexOf('n', StringComparison.Ordinal);
        int k = shape.IndexOf('k', StringComparison.Ordinal);
        return (
            int.Parse(shape.AsSpan(2, n - 2), CultureInfo.InvariantCulture),
            int.Parse(shape.AsSpan(n + 1, k - n - 1), CultureInfo.InvariantCulture),
            int.Parse(shape.AsSpan(k + 1), CultureInfo.InvariantCulture)
        );
    }

    private static MatrixElement ElementOf(PtxType type) => (type.Kind, type.ElementBytes) switch
    {
        (PtxKind.Float, 2) => MatrixElement.Half,
        (PtxKind.BFloat, 2) => MatrixElement.BFloat,
        (PtxKind.TFloat, _) => MatrixElement.TensorFloat,
        (PtxKind.Signed, 1) => MatrixElement.Signed8,
        (PtxKind.Unsigned, 1) => MatrixElement.Unsigned8,
        (PtxKind.Float, 8) => MatrixElement.Real,
        _ => throw No("elements of this type are not executed"),
    };

    private void MultiplyQuads(PtxInstruction i, PtxType typeD, PtxType typeC)
    {
        string[] layouts = [.. i.Modifiers.Where(m => m is ".row" or ".col")];
        EmitObject(
            &QuadMatrixOperations.Multiply,
            new QuadMultiply
            {
                ColumnsA = layouts[0] == ".col",
                RowsB = layouts[1] == ".row",
                HalfD = typeD.ElementBytes == 2,
                HalfC = typeC.ElementBytes == 2,
                D = [.. Items(i.Operands[0]).Select(WordResult)],
                A = Fragment(i.Operands[1], false),
                B = Fragment(i.Operands[2], false),
                C = Fragment(i.Operands[3], false),
            }
        );
    }

    private void MatrixAccess(PtxInstruction i)
    {
        bool load = i.Opcode == "ldmatrix";
        if (!i.Has(".m8n8") || !i.Has(".b16") || SpaceOf(i) is not PtxSpace.Shared)
        {
            throw No("the form is not executed");
        }

        int count = i.Has(".x4") ? 4 : i.Has(".x2") ? 2 : 1;
        PtxOperand[] registers = Items(i.Operands[load ? 0 : 1]);
        if (registers.Length != count)
        {
            throw No("the registers do not fit the number of matrices");
        }

        int[] slots = [.. registers.Select(o => load ? WordResult(o) : Word(o, U32))];
        ref Instr access = ref EmitAccess(i, load ? &MatrixLoads.Load : &MatrixLoads.Store, (PtxOperand.Address)i.Operands[load ? 1 : 0], slots);
        access.Extra = count;
        access.Guard = i.Has(".trans") ? 1 : 0;
    }

    private void WarpMatrix(PtxInstruction i)
    {
        (int rows, int columns, int depth) = ShapeOf(i);
        if (i.Has(".load") || i.Has(".store"))
        {
            bool load = i.Has(".load");
            WarpMatrixPart part = i.Has(".a") ? WarpMatrixPart.A : i.Has(".b") ? WarpMatrixPart.B : WarpMatrixPart.C;
            PtxOperand[] registers = Items(i.Operands[load ? 0 : 1]);
            PtxType type = i.Types[0];
            WarpFragment fragment = new()
            {
                Rows = part == WarpMatrixPart.B ? depth : rows,
                Columns = part == WarpMatrixPart.A ? depth : columns,
                ByColumns = i.Has(".col"),
                ElementBytes = type.ElementBytes,
                Slots =
                [
                    .. registers.Select(o =>
                        type.Bytes == 8 ? (load ? DoubleResult(o) : Double(o, type))
                        : load ? WordResult(o)
                        : Word(o, U32)
                    ),
                ],
                Stride =
                    i.Operands.Length > 2
                        ? Word(i.Operands[2], U32)
                        : Constant(
                            (uint)(
                                i.Has(".col") ? (part == WarpMatrixPart.B ? depth : rows)
                                : part == WarpMatrixPart.A ? depth
                                : columns
                            )
                        ),
                Space = SpaceOf(i),
            };
            if (type.Bytes == 8 || !fragment.Fits)
            {
                throw No("the form is not executed");
            }

            ref Instr access = ref EmitAccess(
                i,
                load ? &WarpMatrixOperations.Load : &WarpMatrixOperations.Store,
                (PtxOperand.Address)i.Operands[load ? 1 : 0],
                []
            );
            access.Extra = _kernel.Objects.Count;
            _kernel.Objects.Add(fragment);
            return;
        }

        // Types: D and C alone for fp16, else D, A, B, C.
        PtxType half = new(PtxKind.Float, 2);
        (PtxType typeD, PtxType typeA, PtxType typeB, PtxType typeC) = i.Types switch
        {
            [var d, var c] => (d, half, half, c),
            [var d, var a, var b, var c] => (d, a, b, c),
            _ => throw No("wanted two or four types"),
        };
        MatrixElement element = ElementOf(typeA);
        if (element == MatrixElement.Real)
        {
            throw No("elements of this type are not executed");
        }

        EmitObject(
            &WarpMatrixOperations.Multiply,
            new WarpMultiply
            {
                Rows = rows,
                Columns = columns,
                Depth = depth,
                ElementA = element,
                ElementB = ElementOf(typeB),
                HalfC = typeC.ElementBytes == 2,
                HalfD = typeD.ElementBytes == 2,
                Saturates = i.Has(".satfinite"),
                D = [.. Items(i.Operands[0]).Select(WordResult)],
                A = Fragment(i.Operands[1], false),
                B = Fragment(i.Operands[2], false),
                C = Fragment(i.Operands[3], false),
            }
        );
    }
}
