using CoGrpo.Runtime.Backends;

namespace CoGrpo.Runtime.Autograd;

public sealed partial class Tape
{
    /// <summary>activation(x), see <see cref="IBackend.Activate"/>; written to <paramref name="into"/> if given.</summary>
    public Var Activate(Var x, Activation activation, Var into = default)
    {
        Var y = Output(into, _values[x.Id].Shape);
        Backend.Activate(_values[x.Id], _values[y.Id], activation);
        Record(new TapeRecord { Operation = Operation.Activate, X = x, Y = y, Activation = activation });
        return y;
    }

    internal static void ActivateRule(Tape tape, in TapeRecord record)
    {
        if (tape.Flows(in record, out Tensor dy, out Tensor dx, out bool accumulate))
        {
            dy = tape.InTypeOf(tape._values[record.X.Id], dy);
            tape.Backend.ActivateBackward(dy, tape._values[record.X.Id], dx, record.Activation, accumulate);
        }
    }

    /// <summary>A wide gradient rounded to the type of <paramref name="x"/>; any other as it is.</summary>
    private Tensor InTypeOf(Tensor x, Tensor gradient)
    {
        if (gradient.Type == x.Type)
        {
            return gradient;
        }

        Tensor rounded = GradientArena.Allocate(gradient.Shape, x.Type);
        Backend.Copy(gradient, rounded);
        return rounded;
    }

    /// <summary>Whether a gradient came to Y and is wanted at X; if so both, and whether X has one already.</summary>
    private bool Flows(in TapeRecord record, out Tensor dy, out Tensor dx, out bool accumulate)
    {
        dy = Gradient(record.Y);
        dx = default;
        accumulate = false;
        if (!dy.IsNone)
        {
            dx = Acquire(record.X, out accumulate);
        }

        return !dx.IsNone;
    }
}
