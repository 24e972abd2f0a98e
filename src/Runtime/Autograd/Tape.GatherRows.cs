using CoGrpo.Runtime.Backends;

namespace CoGrpo.Runtime.Autograd;

public sealed partial class Tape
{
    /// <summary>x[rows], see <see cref="IBackend.GatherRows"/>: x [M,C], rows Int32 [R] distinct, result [R,C].</summary>
    public Var GatherRows(Var x, Tensor rows)
    {
        Var y = RowBuffer(new Shape((int)rows.Shape.Count, _values[x.Id].Columns), rows, Storage);
        Backend.GatherRows(_values[x.Id], rows, _values[y.Id]);
        Record(new TapeRecord { Operation = Operation.GatherRows, X = x, Y = y, Saved0 = rows });
        return y;
    }

    internal static void GatherRowsRule(Tape tape, in TapeRecord record)
    {
        if (tape.Flows(in record, out Tensor dy, out Tensor dx, out bool accumulate))
        {
            tape.Backend.GatherRowsBackward(dy, record.Saved0, dx, accumulate);
        }
    }
}
