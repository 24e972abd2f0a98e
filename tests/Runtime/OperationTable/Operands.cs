using System.Numerics;
using CoGrpo.Runtime;

namespace CoGrpo.Tests.Runtime.OperationTable;

/// <summary>The values of all operands of a row in precision <typeparamref name="T"/>, for its reference.</summary>
internal sealed class Operands<T>
    where T : struct, IFloatingPointIeee754<T>
{
    private readonly T[][] _values;
    private readonly int[][] _integers;

    /// <summary>The values behind <paramref name="bits"/>, which are of the types that the operands have under <paramref name="storage"/>.</summary>
    public Operands(OperationRow row, ulong[][] bits, ElementType storage)
    {
        _values = new T[bits.Length][];
        _integers = new int[bits.Length][];
        for (int i = 0; i < bits.Length; i++)
        {
            ElementType type = row.Operands[i].Stored(storage);
            bool integer = type == ElementType.Int32;
            _values[i] = integer ? [] : Array.ConvertAll(bits[i], b => T.CreateChecked(ElementBits.Value(type, b)));
            _integers[i] = integer ? Array.ConvertAll(bits[i], b => (int)(uint)b) : [];
        }
    }

    public T[] this[int operand] => _values[operand];

    public int[] Integers(int operand) => _integers[operand];
}
