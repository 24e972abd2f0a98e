using CoGrpo.Runtime.Backends;

namespace CoGrpo.Runtime.Autograd;

public sealed partial class Tape
{
    /// <summary>
    /// a + b, see <see cref="IBackend.Add"/>; without b a copy of a, which is how parts of a buffer are filled through <paramref name="into"/>.
    /// </summary>
    public Var Add(Var a, Var b = default, Var into = default)
    {
        Var y = Output(into, _values[a.Id].Shape);
        Backend.Add(_values[a.Id], ValueOrNone(b), _values[y.Id]);
        Record(new TapeRecord { Operation = Operation.Add, X = a, W = b, Y = y });
        return y;
    }

    internal static void AddRule(Tape tape, in TapeRecord record)
    {
        Tensor dy = tape.Gradient(record.Y);
        if (dy.IsNone)
        {
            return;
        }

        Tensor db = tape.Acquire(record.W, out bool accumulate);
        if (!db.IsNone)
        {
            tape.Backend.Add(dy, default, db, accumulate);
        }

        tape.PassOn(record.X, record.Y, dy);
    }
}
