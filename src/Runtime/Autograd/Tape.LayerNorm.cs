using CoGrpo.Runtime.Backends;

namespace CoGrpo.Runtime.Autograd;

public sealed partial class Tape
{
    /// <summary>LN(x) ⊙ weight + bias, see <see cref="IBackend.LayerNorm"/>.</summary>
    public Var LayerNorm(Var x, Var weight, Var bias, float epsilon)
    {
        Tensor xv = _values[x.Id];
        Var y = Buffer(xv.Shape);
        Tensor stats = Activations.Allocate(new Shape(xv.Rows, 2));
        Backend.LayerNorm(xv, _values[weight.Id], _values[bias.Id], _values[y.Id], stats, epsilon);
        Record(new TapeRecord { Operation = Operation.LayerNorm, X = x, W = weight, B = bias, Y = y, Saved0 = stats });
        return y;
    }

    internal static void LayerNormRule(Tape tape, in TapeRecord record)
    {
        if (tape.AcquireWithOperands(in record, out Tensor dy, out Tensor dx, out bool accumulate))
        {
            tape.Backend.LayerNormBackward(dy, tape._values[record.X.Id], tape._values[record.W.Id], record.Saved0, dx, accumulate,
                tape.AcquireZeroed(record.W), tape.AcquireZeroed(record.B));
        }
    }
}
