using CoGrpo.Runtime.Backends;

namespace CoGrpo.Runtime.Autograd;

public sealed partial class Tape
{
    /// <summary>
    /// Multi-head attention, see <see cref="IBackend.Attention"/>: q [B,Sq,H*D], k and v [B,Skv,H*D], result [B,Sq,H*D] or <paramref name="into"/>.
    /// </summary>
    public Var Attention(Var q, Var k, Var v, int heads, bool causal = false, Var into = default)
    {
        Tensor qv = _values[q.Id];
        Var y = Output(into, qv.Shape);
        Tensor logSumExp = Recording ? Activations.Allocate(new Shape(qv.Shape[0], heads, qv.Shape[1])) : default;
        Backend.Attention(qv, _values[k.Id], _values[v.Id], _values[y.Id], logSumExp, heads, causal);
        Record(new TapeRecord { Operation = Operation.Attention, X = q, W = k, B = v, Y = y, Saved0 = logSumExp, I0 = heads, Flag = causal });
        return y;
    }

    internal static void AttentionRule(Tape tape, in TapeRecord record)
    {
        Tensor dy = tape.Gradient(record.Y);
        if (dy.IsNone)
        {
            return;
        }

        Tensor dq = tape.AcquireOverwritten(record.X, out bool settleQ);
        Tensor dk = tape.AcquireOverwritten(record.W, out bool settleK);
        Tensor dv = tape.AcquireOverwritten(record.B, out bool settleV);
        tape.Backend.AttentionBackward(dy, tape._values[record.X.Id], tape._values[record.W.Id], tape._values[record.B.Id], tape._values[record.Y.Id],
            record.Saved0, dq, dk, dv, record.I0, record.Flag);
        tape.Settle(record.X, dq, settleQ);
        tape.Settle(record.W, dk, settleK);
        tape.Settle(record.B, dv, settleV);
    }
}
