using CoGrpo.Runtime.Backends;

namespace CoGrpo.Runtime.Autograd;

public sealed partial class Tape
{
    /// <summary>Mean over blocks, see <see cref="IBackend.AreaMean"/>: x [B,H,W,C] to [B,height,width,C].</summary>
    public Var AreaMean(Var x, int height, int width)
    {
        Shape s = _values[x.Id].Shape;
        Var y = Buffer(new Shape(s[0], height, width, s[3]));
        Backend.AreaMean(_values[x.Id], _values[y.Id]);
        Record(new TapeRecord { Operation = Operation.AreaMean, X = x, Y = y });
        return y;
    }

    internal static void AreaMeanRule(Tape tape, in TapeRecord record)
    {
        Tensor dy = tape.Gradient(record.Y);
        if (!dy.IsNone && tape.Needs(record.X))
        {
            Tensor dx = tape.AcquireOverwritten(record.X, out bool settle);
            tape.Backend.AreaMeanBackward(dy, dx);
            tape.Settle(record.X, dx, settle);
        }
    }
}
