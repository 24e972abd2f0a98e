using CoGrpo.Runtime.Backends;

namespace CoGrpo.Runtime.Autograd;

public sealed partial class Tape
{
    /// <summary>
    /// Copies token rows into <paramref name="into"/>, see <see cref="IBackend.CopyTokens"/>: concatenation when several calls fill one buffer, split
    /// when it is smaller than x.
    /// </summary>
    public void CopyTokens(Var x, int xFirst, Var into, int intoFirst, int count)
    {
        Backend.CopyTokens(_values[x.Id], xFirst, _values[into.Id], intoFirst, count);
        Record(new TapeRecord { Operation = Operation.CopyTokens, X = x, Y = into, I0 = xFirst, I1 = intoFirst, I2 = count });
    }

    internal static void CopyTokensRule(Tape tape, in TapeRecord record)
    {
        Tensor dy = tape.Gradient(record.Y);
        if (!dy.IsNone && tape.Needs(record.X))
        {
            // A part of x only: rows that no copy read must have gradient zero, hence always accumulate on a zeroed gradient.
            tape.Backend.CopyTokens(dy, record.I1, tape.AcquireZeroed(record.X), record.I0, record.I2, accumulate: true);
        }
    }
}
