using CoGrpo.Runtime.Backends;

namespace CoGrpo.Runtime.Autograd;

public sealed partial class Tape
{
    /// <summary>x [B,H,W,C] to [B,H/2,W/2,4C], see <see cref="IBackend.SpaceToDepth"/>.</summary>
    public Var SpaceToDepth(Var x)
    {
        Shape s = _values[x.Id].Shape;
        Var y = Buffer(new Shape(s[0], s[1] / 2, s[2] / 2, 4 * s[3]));
        Backend.SpaceToDepth(_values[x.Id], _values[y.Id]);
        Record(new TapeRecord { Operation = Operation.SpaceToDepth, X = x, Y = y });
        return y;
    }

    internal static void SpaceToDepthRule(Tape tape, in TapeRecord record)
    {
        Tensor dy = tape.Gradient(record.Y);
        if (!dy.IsNone && tape.Needs(record.X))
        {
            Tensor dx = tape.AcquireOverwritten(record.X, out bool settle);
            tape.Backend.DepthToSpace(dy, dx);
            tape.Settle(record.X, dx, settle);
        }
    }
}
