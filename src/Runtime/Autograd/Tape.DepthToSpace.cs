using CoGrpo.Runtime.Backends;

namespace CoGrpo.Runtime.Autograd;

public sealed partial class Tape
{
    /// <summary>x [B,h,w,4C] to [B,2h,2w,C], see <see cref="IBackend.DepthToSpace"/>.</summary>
    public Var DepthToSpace(Var x)
    {
        Shape s = _values[x.Id].Shape;
        Var y = Buffer(new Shape(s[0], 2 * s[1], 2 * s[2], s[3] / 4));
        Backend.DepthToSpace(_values[x.Id], _values[y.Id]);
        Record(new TapeRecord { Operation = Operation.DepthToSpace, X = x, Y = y });
        return y;
    }

    internal static void DepthToSpaceRule(Tape tape, in TapeRecord record)
    {
        Tensor dy = tape.Gradient(record.Y);
        if (!dy.IsNone && tape.Needs(record.X))
        {
            Tensor dx = tape.AcquireOverwritten(record.X, out bool settle);
            tape.Backend.SpaceToDepth(dy, dx);
            tape.Settle(record.X, dx, settle);
        }
    }
}
