namespace CoGrpo.Runtime.Autograd;

public sealed partial class Tape
{
    /// <summary>
    /// x := factor · x in place, see <see cref="Backends.IBackend.Scale"/>. What made <paramref name="x"/> must not need its result for the backward
    /// pass (<see cref="Linear"/> without activation), and nothing may have read it yet.
    /// </summary>
    public void Scale(Var x, float factor)
    {
        Backend.Scale(_values[x.Id], factor, _values[x.Id]);
        Record(new TapeRecord { Operation = Operation.Scale, Y = x, Factor = factor });
    }

    internal static void ScaleRule(Tape tape, in TapeRecord record)
    {
        // All readers have added to dx by now, and all of it belongs to the scaled value.
        Tensor dx = tape.Gradient(record.Y);
        if (!dx.IsNone)
        {
            tape.Backend.Scale(dx, record.Factor, dx);
        }
    }
}
