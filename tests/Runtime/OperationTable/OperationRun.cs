using System.Runtime.InteropServices;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Tests.Runtime.OperationTable;

/// <summary>
/// Draws the operands of a row and runs it on a backend in the element types of its storage, in guarded memory: 64 elements before and
/// after every operand and the room between rows hold a NaN of their own, outputs another, so that reading or writing what is not the
/// operand's shows; memory that is watched forbids it besides.
/// </summary>
internal static class OperationRun
{
    private const int Guard = 64;

    /// <summary>The bits of every operand before the call, each of its type under <paramref name="storage"/>; the same at every call.</summary>
    public static ulong[][] Draw(OperationRow row, ElementType storage)
    {
        ulong[][] bits = new ulong[row.Operands.Count][];
        for (int i = 0; i < bits.Length; i++)
        {
            Operand operand = row.Operands[i];
            Random random = new(1000 + i);
            bits[i] = new ulong[operand.Count];
            for (int j = 0; j < bits[i].Length; j++)
            {
                bits[i][j] = ElementBits.Of(operand.Stored(storage), operand.Draw(random, j));
            }
        }

        Operands<double> prepared = new(row, bits, storage);
        row.Prepare(prepared);
        for (int i = 0; i < bits.Length; i++)
        {
            ElementType type = row.Operands[i].Stored(storage);
            if (type != ElementType.Int32)
            {
                bits[i] = Array.ConvertAll(prepared[i], v => ElementBits.Of(type, v));
            }
        }

        return bits;
    }

    /// <summary>The part of the bits that belongs to images [first, first + count).</summary>
    public static ulong[][] Slice(OperationRow row, ulong[][] bits, int first, int count)
    {
        ulong[][] part = new ulong[bits.Length][];
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
    /// <param name="bits">Operands before the call, of the backend's storage; those of <see cref="Role.Out"/> are ignored.</param>
    /// <param name="alias">An (input, output) pair that shares memory.</param>
    /// <param name="watch">The backend's memory, where it is watched.</param>
    public static ulong[][] Execute(
        IBackend backend,
        OperationRow row,
        ulong[][] bits,
        (int Input, int Output)? alias = null,
        IMemoryWatch? watch = null
    )
    {
        using Arena arena = backend.CreateArena("table", 1 << 20);
        int count = bits.Length;
        (Tensor[] memory, Tensor[] views, byte[][] before) = (new Tensor[count], new Tensor[count], new byte[count][]);
        for (int i = 0; i < count; i++)
        {
            Operand operand = row.Operands[i];
            if (operand.Role == Role.Hidden)
            {
                continue;
            }

            ElementType type = operand.Stored(backend.Storage);
            before[i] = Laid(operand, type, operand.Role == Role.Out ? null : bits[i]);
            memory[i] = arena.Allocate(new Shape(before[i].Length / type.Size()), type);
            Upload(backend, before[i], memory[i]);
            views[i] = new Tensor(memory[i].Address + (Start(operand) * type.Size()), operand.Shape, type, operand.Shape.Columns + operand.Padding);
            Watch(watch, operand, memory[i], views[i], alias?.Output == i);
        }

        if (alias is (int from, int to))
        {
            (memory[to], views[to]) = (memory[from], views[from]);
        }

        row.Run(backend, views);
        ulong[][] after = new ulong[count][];
        for (int i = 0; i < count; i++)
        {
            Operand operand = row.Operands[i];
            if (operand.Role == Role.Hidden)
            {
                after[i] = bits[i];
                continue;
            }

            byte[] all = Download(backend, memory[i]);
            bool sharesOutput = alias is (int input, _) && input == i;
            Operand layout = alias is (int source, int target) && target == i ? row.Operands[source] : operand;
            after[i] = Gathered(layout, memory[i].Type, all, $"{row}: {operand.Name}");
            Assert.True(operand.IsOutput || sharesOutput || all.AsSpan().SequenceEqual(before[i]), $"{row}: input {operand.Name} was changed");
        }

        return after;
    }

    /// <summary>
    /// Forbids what lies around the rows of an operand; those of an output hold nothing yet, unless it takes the place of an input.
    /// </summary>
    private static void Watch(IMemoryWatch? watch, Operand operand, Tensor memory, Tensor view, bool shares)
    {
        if (watch is null || shares)
        {
            return;
        }

        int size = memory.Type.Size();
        nint end = memory.Address;
        for (int row = 0; row < operand.Shape.Rows; row++)
        {
            nint first = view.Address + ((nint)row * view.RowStride * size);
            long bytes = (long)operand.Shape.Columns * size;
            watch.Forbid(end, first - end);
            if (operand.Role == Role.Out)
            {
                watch.Undefine(first, bytes);
            }

            end = first + (nint)bytes;
        }

        watch.Forbid(end, memory.Address + ((nint)memory.Shape.Count * size) - end);
    }

    /// <summary>Operands whose padding keeps rows aligned start at a guard's end, aligned; the others three elements on, unaligned.</summary>
    private static int Start(Operand operand) => operand.Padding % 8 == 0 ? Guard : Guard + 3;

    private static byte[] Laid(Operand operand, ElementType type, ulong[]? values)
    {
        int columns = operand.Shape.Columns;
        int stride = columns + operand.Padding;
        int size = type.Size();
        byte[] all = new byte[(Start(operand) + (operand.Shape.Rows * stride) + Guard) * size];
        for (int i = 0; i < all.Length / size; i++)
        {
            Write(all, i, size, ElementBits.Canary(type));
        }

        for (int j = 0; j < operand.Count; j++)
        {
            Write(all, Start(operand) + (j / columns * stride) + (j % columns), size, values is null ? ElementBits.Poison(type) : values[j]);
        }

        return all;
    }

    private static ulong[] Gathered(Operand operand, ElementType type, byte[] all, string name)
    {
        int columns = operand.Shape.Columns;
        int stride = columns + operand.Padding;
        ulong[] values = new ulong[operand.Count];
        for (int i = 0; i < all.Length / type.Size(); i++)
        {
            int at = i - Start(operand);
            bool inside = at >= 0 && at / stride < operand.Shape.Rows && at % stride < columns;
            ulong bits = Read(all, i, type.Size());
            if (inside)
            {
                values[(at / stride * columns) + (at % stride)] = bits;
            }
            else
            {
                Assert.True(bits == ElementBits.Canary(type), $"{name}: written at element {at}, outside rows of {columns} standing {stride} apart");
            }
        }

        return values;
    }

    private static void Write(byte[] all, int element, int size, ulong bits)
    {
        Span<byte> at = all.AsSpan(element * size, size);
        switch (size)
        {
            case 2:
                MemoryMarshal.Write(at, (ushort)bits);
                break;
            case 4:
                MemoryMarshal.Write(at, (uint)bits);
                break;
            default:
                MemoryMarshal.Write(at, bits);
                break;
        }
    }

    private static ulong Read(byte[] all, int element, int size)
    {
        ReadOnlySpan<byte> at = all.AsSpan(element * size, size);
        return size switch
        {
            2 => MemoryMarshal.Read<ushort>(at),
            4 => MemoryMarshal.Read<uint>(at),
            _ => MemoryMarshal.Read<ulong>(at),
        };
    }

    private static void Upload(IBackend backend, byte[] bytes, Tensor destination)
    {
        switch (destination.Type.Size())
        {
            case 2:
                backend.Upload<ushort>(MemoryMarshal.Cast<byte, ushort>(bytes), destination);
                break;
            case 4:
                backend.Upload<uint>(MemoryMarshal.Cast<byte, uint>(bytes), destination);
                break;
            default:
                backend.Upload<ulong>(MemoryMarshal.Cast<byte, ulong>(bytes), destination);
                break;
        }
    }

    private static byte[] Download(IBackend backend, Tensor source)
    {
        byte[] bytes = new byte[source.Shape.Count * source.Type.Size()];
        switch (source.Type.Size())
        {
            case 2:
                backend.Download(source, MemoryMarshal.Cast<byte, ushort>(bytes.AsSpan()));
                break;
            case 4:
                backend.Download(source, MemoryMarshal.Cast<byte, uint>(bytes.AsSpan()));
                break;
            default:
                backend.Download(source, MemoryMarshal.Cast<byte, ulong>(bytes.AsSpan()));
                break;
        }

        return bytes;
    }
}
