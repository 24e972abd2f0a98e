using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Tests.Runtime.OperationTable;

/// <summary>
/// Draws the operands of a row and runs it on a backend, in guarded memory: 64 elements before and after every operand and the room
/// between rows hold a NaN of their own, outputs another, so that reading or writing what is not the operand's shows.
/// </summary>
internal static class OperationRun
{
    private const int Guard = 64;
    private const uint Canary = 0x7FC0BEEF;
    private const uint Poison = 0x7FC0DEAD;

    /// <summary>The bits of every operand before the call; the same at every call.</summary>
    public static uint[][] Draw(OperationRow row)
    {
        uint[][] bits = new uint[row.Operands.Count][];
        for (int i = 0; i < bits.Length; i++)
        {
            Operand operand = row.Operands[i];
            Random random = new(1000 + i);
            bits[i] = new uint[operand.Count];
            for (int j = 0; j < bits[i].Length; j++)
            {
                double value = operand.Draw(random, j);
                bits[i][j] = operand.Type == ElementType.Int32 ? (uint)(int)value : BitConverter.SingleToUInt32Bits((float)value);
            }
        }

        Operands<double> prepared = new(row, bits);
        row.Prepare(prepared);
        for (int i = 0; i < bits.Length; i++)
        {
            if (row.Operands[i].Type == ElementType.Float32)
            {
                bits[i] = Array.ConvertAll(prepared[i], v => BitConverter.SingleToUInt32Bits((float)v));
            }
        }

        return bits;
    }

    /// <summary>The part of the bits that belongs to images [first, first + count).</summary>
    public static uint[][] Slice(OperationRow row, uint[][] bits, int first, int count)
    {
        uint[][] part = new uint[bits.Length][];
        for (int i = 0; i < bits.Length; i++)
        {
            int perImage = bits[i].Length / row.Images;
            part[i] = row.Operands[i].Shared ? bits[i] : bits[i].AsSpan(first * perImage, count * perImage).ToArray();
        }

        return part;
    }

    /// <summary>Runs the row and returns the bits of all operands afterwards.</summary>
    /// <param name="backend">Where.</param>
    /// <param name="row">What.</param>
    /// <param name="bits">Operands before the call; those of <see cref="Role.Out"/> are ignored.</param>
    /// <param name="alias">An (input, output) pair that shares memory.</param>
    public static uint[][] Execute(IBackend backend, OperationRow row, uint[][] bits, (int Input, int Output)? alias = null)
    {
        using Arena arena = backend.CreateArena("table", 1 << 20);
        int count = bits.Length;
        (Tensor[] memory, Tensor[] views, uint[][] before) = (new Tensor[count], new Tensor[count], new uint[count][]);
        for (int i = 0; i < count; i++)
        {
            Operand operand = row.Operands[i];
            if (operand.Role == Role.Hidden)
            {
                continue;
            }

            before[i] = Laid(operand, operand.Role == Role.Out ? null : bits[i]);
            memory[i] = arena.Allocate(new Shape(before[i].Length), operand.Type);
            backend.Upload<uint>(before[i], memory[i]);
            views[i] = new Tensor(memory[i].Address + (Start(operand) * sizeof(uint)), operand.Shape, operand.Type, operand.Shape.Columns + operand.Padding);
        }

        if (alias is (int from, int to))
        {
            (memory[to], views[to]) = (memory[from], views[from]);
        }

        row.Run(backend, views);
        uint[][] after = new uint[count][];
        for (int i = 0; i < count; i++)
        {
            Operand operand = row.Operands[i];
            if (operand.Role == Role.Hidden)
            {
                after[i] = bits[i];
                continue;
            }

            uint[] all = new uint[memory[i].Shape.Count];
            backend.Download<uint>(memory[i], all);
            bool sharesOutput = alias is (int input, _) && input == i;
            Operand layout = alias is (int source, int target) && target == i ? row.Operands[source] : operand;
            after[i] = Gathered(layout, all, $"{row}: {operand.Name}");
            Assert.True(operand.IsOutput || sharesOutput || all.AsSpan().SequenceEqual(before[i]), $"{row}: input {operand.Name} was changed");
        }

        return after;
    }

    /// <summary>Unpadded operands start at a guard's end, aligned; padded ones three elements on, unaligned.</summary>
    private static int Start(Operand operand) => operand.Padding > 0 ? Guard + 3 : Guard;

    private static uint[] Laid(Operand operand, uint[]? values)
    {
        int columns = operand.Shape.Columns;
        int stride = columns + operand.Padding;
        uint[] all = new uint[Start(operand) + (operand.Shape.Rows * stride) + Guard];
        Array.Fill(all, Canary);
        for (int row = 0; row < operand.Shape.Rows; row++)
        {
            Span<uint> target = all.AsSpan(Start(operand) + (row * stride), columns);
            if (values is null)
            {
                target.Fill(Poison);
            }
            else
            {
                values.AsSpan(row * columns, columns).CopyTo(target);
            }
        }

        return all;
    }

    private static uint[] Gathered(Operand operand, uint[] all, string name)
    {
        int columns = operand.Shape.Columns;
        int stride = columns + operand.Padding;
        uint[] values = new uint[operand.Count];
        for (int i = 0; i < all.Length; i++)
        {
            int at = i - Start(operand);
            bool inside = at >= 0 && at / stride < operand.Shape.Rows && at % stride < columns;
            if (inside)
            {
                values[(at / stride * columns) + (at % stride)] = all[i];
            }
            else
            {
                Assert.True(all[i] == Canary, $"{name}: written at element {at}, outside rows of {columns} standing {stride} apart");
            }
        }

        return values;
    }
}
