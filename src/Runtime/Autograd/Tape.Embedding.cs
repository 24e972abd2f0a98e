using CoGrpo.Runtime.Backends;

namespace CoGrpo.Runtime.Autograd;

public sealed partial class Tape
{
    /// <summary>
    /// table[ids] + positions, see <see cref="IBackend.Embedding"/>: ids Int32 [B,L], table [V,C], positions [L,C] or none, result [B,L,C].
    /// </summary>
    public Var Embedding(Tensor ids, Var table, Var positions = default)
    {
        Var y = Buffer(new Shape(ids.Shape.Rank == 1 ? 1 : ids.Shape[0], ids.Columns, _values[table.Id].Columns));
        Backend.Embedding(ids, _values[table.Id], ValueOrNone(positions), _values[y.Id]);
        Record(new TapeRecord { Operation = Operation.Embedding, W = table, B = positions, Y = y, Saved0 = ids });
        return y;
    }

    internal static void EmbeddingRule(Tape tape, in TapeRecord record)
    {
        Tensor dy = tape.Gradient(record.Y);
        if (!dy.IsNone)
        {
            tape.Backend.EmbeddingBackward(dy, record.Saved0, tape.AcquireZeroed(record.W), record.B.IsNone ? default : tape.AcquireZeroed(record.B));
        }
    }
}
