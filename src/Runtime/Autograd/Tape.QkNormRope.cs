using CoGrpo.Runtime.Backends;

namespace CoGrpo.Runtime.Autograd;

public sealed partial class Tape
{
    /// <summary>
    /// Per-head RMS norm and rotary embedding written at token rows [firstRow, firstRow + L) of <paramref name="into"/>, see
    /// <see cref="IBackend.QkNormRope"/>: x [B,L,H*D], weight [D], cos and sin [S,D/2] (constants), into [B,S,H*D].
    /// </summary>
    public void QkNormRope(Var x, Var weight, Tensor cos, Tensor sin, Var into, int firstRow, int heads, float epsilon)
    {
        Tensor xv = _values[x.Id];
        Tensor rstd = Activations.Allocate(new Shape(xv.Rows, heads));
        Backend.QkNormRope(xv, _values[weight.Id], cos, sin, _values[into.Id], firstRow, rstd, heads, epsilon);
        Record(new TapeRecord
        {
            Operation = Operation.QkNormRope, X = x, W = weight, Y = into, Saved0 = rstd, I0 = firstRow, I1 = heads,
            B = Recording ? Constant(cos) : default, C = Recording ? Constant(sin) : default,
        });
    }

    internal static void QkNormRopeRule(Tape tape, in TapeRecord record)
    {
        Tensor dy = tape.Gradient(record.Y);
        if (dy.IsNone)
        {
            return;
        }

        Tensor dx = tape.AcquireOverwritten(record.X, out bool settle);
        if (dx.IsNone)
        {
            dx = tape.GradientArena.Allocate(tape._values[record.X.Id].Shape, tape._values[record.X.Id].Type);
        }

        tape.Backend.QkNormRopeBackward(
            dy,
            tape._values[record.X.Id],
            tape._values[record.W.Id],
            tape._values[record.B.Id],
            tape._values[record.C.Id],
            record.Saved0,
            record.I0,
            dx,
            tape.AcquireZeroed(record.W),
            record.I1
        );
        tape.Settle(record.X, dx, settle);
    }
}
