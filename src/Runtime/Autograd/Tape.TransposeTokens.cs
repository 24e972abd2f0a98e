using CoGrpo.Runtime.Backends;

namespace CoGrpo.Runtime.Autograd;

public sealed partial class Tape
{
    /// <summary>x [B,n,C] to [B,C,n], see <see cref="IBackend.TransposeTokens"/>.</summary>
    public Var TransposeTokens(Var x)
    {
        Shape s = _values[x.Id].Shape;
        Var y = Buffer(new Shape(s[0], s[2], s[1]));
        Backend.TransposeTokens(_values[x.Id], _values[y.Id]);
        Record(new TapeRecord { Operation = Operation.TransposeTokens, X = x, Y = y });
        return y;
    }

    internal static void TransposeTokensRule(Tape tape, in TapeRecord record)
    {
        Tensor dy = tape.Gradient(record.Y);
        if (!dy.IsNone && tape.Needs(record.X))
        {
            Tensor dx = tape.AcquireOverwritten(record.X, out bool settle);
            tape.Backend.TransposeTokens(dy, dx);
            tape.Settle(record.X, dx, settle);
        }
    }
}
