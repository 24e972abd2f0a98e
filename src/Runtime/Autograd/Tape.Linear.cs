using CoGrpo.Runtime.Backends;

namespace CoGrpo.Runtime.Autograd;

public sealed partial class Tape
{
    /// <summary>
    /// activation(x W^T + bias), see <see cref="IBackend.Linear"/>: x [..,K], weight [N,K] (or [K,N]), bias [N] or none, result [..,N] or
    /// <paramref name="into"/>; in fp32 when <paramref name="wide"/> (logits).
    /// </summary>
    public Var Linear(
        Var x,
        Var weight,
        Var bias = default,
        Activation activation = Activation.None,
        WeightLayout layout = WeightLayout.OutIn,
        Var into = default,
        bool wide = false
    )
    {
        Tensor xv = _values[x.Id];
        Tensor wv = _values[weight.Id];
        Shape shape = WithColumns(xv.Shape, layout == WeightLayout.OutIn ? wv.Rows : wv.Columns);
        Var y = into.IsNone ? RowBuffer(shape, xv, wide ? ElementType.Float32 : Storage) : into;
        Tensor yv = _values[y.Id];
        Tensor pre = Recording && activation != Activation.None ? Activations.Allocate(yv.Shape, Storage) : default;
        Backend.Linear(xv, wv, ValueOrNone(bias), yv, layout, activation, pre);
        Record(
            new TapeRecord
            {
                Operation = Operation.Linear,
                X = x,
                W = weight,
                B = bias,
                Y = y,
                Saved0 = pre,
                Layout = layout,
                Activation = activation,
            }
        );
        return y;
    }

    /// <summary>
    /// residual + gate ⊙ (x W^T + bias): one fused pass that overwrites the residual without recording, <see cref="Linear"/> and
    /// <see cref="GateResidual"/> with it. Same bits.
    /// </summary>
    public Var ResidualLinear(Var x, Var weight, Var bias, Var residual, Var gate = default)
    {
        if (Recording)
        {
            return GateResidual(residual, Linear(x, weight, bias), gate);
        }

        Tensor r = _values[residual.Id];
        Backend.Linear(_values[x.Id], _values[weight.Id], ValueOrNone(bias), r, residual: r, gate: ValueOrNone(gate));
        return residual;
    }

    /// <summary>
    /// y += x W^T in place: what made <paramref name="y"/> must be <see cref="Linear"/> without activation, and nothing may have read it yet.
    /// </summary>
    public void AddLinear(Var x, Var weight, Var y)
    {
        Tensor yv = _values[y.Id];
        Backend.Linear(_values[x.Id], _values[weight.Id], default, yv, residual: yv);
        Record(new TapeRecord { Operation = Operation.Linear, X = x, W = weight, Y = y });
    }

    internal static void LinearRule(Tape tape, in TapeRecord record)
    {
        Tensor dy = tape.Gradient(record.Y);
        if (dy.IsNone)
        {
            return;
        }

        if (record.Activation != Activation.None)
        {
            // dy has no other reader once its producer is reached, so it becomes the gradient of the pre-activation in place.
            tape.Backend.ActivateBackward(dy, record.Saved0, dy, record.Activation);
        }

        Tensor dw = tape.AcquireZeroed(record.W);
        Tensor db = record.B.IsNone ? default : tape.AcquireZeroed(record.B);
        if (!dw.IsNone || !db.IsNone)
        {
            tape.Backend.LinearBackwardWeight(dy, tape._values[record.X.Id], dw, db, record.Layout);
        }

        Tensor dx = tape.Acquire(record.X, out bool accumulate);
        if (!dx.IsNone)
        {
            tape.Backend.LinearBackwardInput(dy, tape._values[record.W.Id], dx, record.Layout, accumulate);
        }
    }

    private static Shape WithColumns(Shape shape, int columns) => shape.Rank switch
    {
        1 => new Shape(columns),
        2 => new Shape(shape[0], columns),
        3 => new Shape(shape[0], shape[1], columns),
        _ => new Shape(shape[0], shape[1], shape[2], columns),
    };
}
