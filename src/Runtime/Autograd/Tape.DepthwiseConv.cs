using CoGrpo.Runtime.Backends;

namespace CoGrpo.Runtime.Autograd;

public sealed partial class Tape
{
    /// <summary>Depthwise 3x3 stride-2 convolution, see <see cref="IBackend.DepthwiseConv"/>: x [B,H,W,C], weight [C,1,3,3], bias [C].</summary>
    public Var DepthwiseConv(Var x, Var weight, Var bias)
    {
        Shape s = _values[x.Id].Shape;
        Var y = Buffer(new Shape(s[0], (s[1] + 1) / 2, (s[2] + 1) / 2, s[3]));
        Backend.DepthwiseConv(_values[x.Id], _values[weight.Id], _values[bias.Id], _values[y.Id]);
        Record(new TapeRecord { Operation = Operation.DepthwiseConv, X = x, W = weight, B = bias, Y = y });
        return y;
    }

    internal static void DepthwiseConvRule(Tape tape, in TapeRecord record)
    {
        Tensor dy = tape.Gradient(record.Y);
        if (dy.IsNone)
        {
            return;
        }

        Tensor dx = tape.AcquireOverwritten(record.X, out bool settle);
        tape.Backend.DepthwiseConvBackward(
            dy,
            tape._values[record.X.Id],
            tape._values[record.W.Id],
            dx,
            tape.AcquireZeroed(record.W),
            tape.AcquireZeroed(record.B)
        );
        tape.Settle(record.X, dx, settle);
    }
}
