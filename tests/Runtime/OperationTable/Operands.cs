using System.Numerics;
using CoGrpo.Runtime;

namespace CoGrpo.Tests.Runtime.OperationTable;

/// <summary>The values of all operands of a row in precision <typeparamref name="T"/>, for its reference.</summary>
internal sealed class Operands<T>
    where T : struct, IFloatingPointIeee754<T>
{
    private readonly T[][] _values;
    private readonly int[][] _integers;

    public Operands(OperationRow row, uint[][] bits)
    {
        _values = new T[bits.Length][];
        _integers = new int[bits.Length][];
        for (int i = 0; i < bits.Length; i++)
        {
            bool integer = row.Operands[i].Type == ElementType.Int32;
            _values[i] = integer ? [] : Array.ConvertAll(bits[i], b => T.CreateChecked(BitConverter.UInt32BitsToSingle(b)));
            _integers[i] = integer ? Array.ConvertAll(bits[i], b => (int)b) : [];
        }
    }

    public T[] this[int operand] => _values[operand];

    public int[] Integers(int operand) => _integers[operand];
}
