using CoGrpo.Runtime.Backends;

namespace CoGrpo.Runtime.Autograd;

public sealed partial class Tape
{
    /// <summary>LN(x) ⊙ (1 + scale) + shift, see <see cref="IBackend.AdaLn"/>: x [B,S,C], shift and scale [B,C].</summary>
    public Var AdaLn(Var x, Var shift, Var scale, float epsilon)
    {
        Tensor xv = _values[x.Id];
        Var y = Buffer(xv.Shape);
        Tensor stats = Activations.Allocate(new Shape(xv.Rows, 2));
        Backend.AdaLn(xv, _values[shift.Id], _values[scale.Id], _values[y.Id], stats, epsilon);
        Record(new TapeRecord { Operation = Operation.AdaLn, X = x, W = scale, B = shift, Y = y, Saved0 = stats });
        return y;
    }

    internal static void AdaLnRule(Tape tape, in TapeRecord record)
    {
        if (tape.AcquireWithOperands(in record, out Tensor dy, out Tensor dx, out bool accumulate))
        {
            tape.Backend.AdaLnBackward(dy, tape._values[record.X.Id], tape._values[record.W.Id], record.Saved0, dx, accumulate,
                tape.AcquireZeroed(record.B), tape.AcquireZeroed(record.W));
        }
    }
}
