using CoGrpo.Runtime.Backends;

namespace CoGrpo.Runtime.Autograd;

public sealed partial class Tape
{
    /// <summary>residual + gate ⊙ branch, see <see cref="IBackend.GateResidual"/>; in place on the residual without recording.</summary>
    public Var GateResidual(Var residual, Var branch, Var gate = default)
    {
        Var y = Recording ? Buffer(_values[residual.Id].Shape) : residual;
        Backend.GateResidual(_values[residual.Id], _values[branch.Id], ValueOrNone(gate), _values[y.Id]);
        Record(new TapeRecord { Operation = Operation.GateResidual, X = residual, W = branch, B = gate, Y = y });
        return y;
    }

    internal static void GateResidualRule(Tape tape, in TapeRecord record)
    {
        Tensor dy = tape.Gradient(record.Y);
        if (dy.IsNone)
        {
            return;
        }

        Tensor dbranch = tape.AcquireOverwritten(record.W, out bool settle);
        Tensor dgate = record.B.IsNone ? default : tape.AcquireZeroed(record.B);
        tape.Backend.GateResidualBackward(dy, tape._values[record.W.Id], tape.ValueOrNone(record.B), dbranch, dgate);
        tape.Settle(record.W, dbranch, settle);
        tape.PassOn(record.X, record.Y, dy);
    }

    /// <summary>dX += dY where Y has no reader left: the first time X simply takes over the memory of dY.</summary>
    private void PassOn(Var x, Var y, Tensor dy)
    {
        if (!Needs(x))
        {
            return;
        }

        if (_parents[x.Id] == 0 && _states[x.Id] == Wanted && _parents[y.Id] == 0)
        {
            Seed(x, dy);
        }
        else
        {
            Tensor dx = Acquire(x, out bool accumulate);
            Backend.Add(dy, default, dx, accumulate);
        }
    }
}
