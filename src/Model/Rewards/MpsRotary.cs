using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;

namespace CoGrpo.Model.Rewards;

/// <summary>
/// Rotary embedding of the cross model: base 10000, the first half of a head turned against the second. y = cos ⊙ x + sin ⊙ (R x) with R the turn by
/// a quarter, a matrix of zeros, ones and minus ones whose products are exact.
/// </summary>
internal sealed class MpsRotary
{
    private const double Base = 10000;

    private readonly Tensor _quarterTurn;
    private readonly Tensor _cos;
    private readonly Tensor _sin;

    /// <summary>Tables for <paramref name="images"/> of <paramref name="tokens"/> tokens each, in the memory of the pass.</summary>
    public MpsRotary(Tape tape, int images, int tokens, int width)
    {
        float[] turn = new float[width * width], cos = new float[images * tokens * width], sin = new float[cos.Length];
        int half = width / 2;
        for (int d = 0; d < half; d++)
        {
            turn[(d * width) + d + half] = -1;
            turn[((d + half) * width) + d] = 1;
        }

        for (int i = 0; i < cos.Length; i++)
        {
            double angle = i / width % tokens * Math.Pow(Base, -2.0 * (i % half) / width);
            (cos[i], sin[i]) = ((float)Math.Cos(angle), (float)Math.Sin(angle));
        }

        _quarterTurn = Upload(tape, turn, new Shape(width, width));
        _cos = Upload(tape, cos, new Shape(images * tokens, width));
        _sin = Upload(tape, sin, new Shape(images * tokens, width));
    }

    /// <summary>x [G,N,heads·D], G at most the images of the tables, to the same with every head turned by its token's place.</summary>
    public Var Apply(Tape tape, Var x)
    {
        Shape s = tape.Value(x).Shape;
        (int rows, int width) = (s.Rows, _cos.Columns);
        Shape heads = new(rows, s.Columns / width, width);
        Tensor from = tape.Value(x).Reshape(heads);
        Var turned = tape.Buffer(s);
        Tensor to = tape.Value(turned).Reshape(heads);
        tape.Backend.Linear(from, _quarterTurn, default, to, gate: _sin.RowRange(0, rows));
        tape.Backend.GateResidual(to, from, _cos.RowRange(0, rows), to);
        return turned;
    }

    private static Tensor Upload(Tape tape, float[] values, Shape shape)
    {
        Tensor wide = tape.Activations.Allocate(shape);
        tape.Backend.Upload<float>(values, wide);
        return tape.Value(tape.InStorage(tape.Constant(wide)));
    }
}
