using CoGrpo.Runtime.Backends;

namespace CoGrpo.Runtime.Autograd;

public sealed partial class Tape
{
    /// <summary>x ⊙ weight / rms(x), see <see cref="IBackend.RmsNorm"/>.</summary>
    public Var RmsNorm(Var x, Var weight, float epsilon)
    {
        Tensor xv = _values[x.Id];
        Var y = RowBuffer(xv.Shape, xv, Storage);
        Tensor rstd = Activations.Allocate(new Shape(xv.Rows));
        Backend.RmsNorm(xv, _values[weight.Id], _values[y.Id], rstd, epsilon);
        Record(new TapeRecord { Operation = Operation.RmsNorm, X = x, W = weight, Y = y, Saved0 = rstd });
        return y;
    }

    internal static void RmsNormRule(Tape tape, in TapeRecord record)
    {
        if (tape.AcquireWithOperands(in record, out Tensor dy, out Tensor dx, out bool accumulate))
        {
            tape.Backend.RmsNormBackward(
                dy,
                tape._values[record.X.Id],
                tape._values[record.W.Id],
                record.Saved0,
                dx,
                accumulate,
                tape.AcquireZeroed(record.W)
            );
        }
    }
}
