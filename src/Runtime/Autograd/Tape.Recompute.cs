namespace CoGrpo.Runtime.Autograd;

public sealed partial class Tape
{
    private const int MaxSegmentVars = 4;

    /// <summary>
    /// Runs <paramref name="segment"/> and keeps only its residual streams; the backward pass runs it again to get its activations back.
    /// Same values and gradients as running it directly, for one more forward pass and the memory of one segment instead of all.
    /// </summary>
    /// <param name="segment">What to run.</param>
    /// <param name="inputs">Streams, then conditions; at most four.</param>
    /// <param name="outputs">Receives the new streams.</param>
    public void Recompute(ITapeSegment segment, ReadOnlySpan<Var> inputs, Span<Var> outputs)
    {
        if (!Recording)
        {
            ArenaMark scope = Activations.Mark();
            segment.Run(this, inputs, outputs);
            Activations.Release(scope);
            return;
        }

        if (inputs.Length > MaxSegmentVars || outputs.Length > 2)
        {
            throw new ArgumentException(
                $"segment {segment.GetType().Name}: wanted at most {MaxSegmentVars} inputs and 2 streams, got {inputs.Length} and {outputs.Length}"
            );
        }

        Span<Var> copies = stackalloc Var[MaxSegmentVars];
        for (int i = 0; i < inputs.Length; i++)
        {
            copies[i] = inputs[i];
            if (i < outputs.Length)
            {
                copies[i] = Buffer(_values[inputs[i].Id].Shape);
                Backend.Copy(_values[inputs[i].Id], _values[copies[i].Id]);
                outputs[i] = copies[i];
            }
        }

        ArenaMark mark = Activations.Mark();
        int varCount = _varCount;
        Recording = false;
        Span<Var> streams = stackalloc Var[2];
        segment.Run(this, copies[..inputs.Length], streams[..outputs.Length]);
        Recording = true;
        _varCount = varCount;
        Activations.Release(mark);
        _segments.Add(segment);
        Record(new TapeRecord
        {
            Operation = Operation.Recompute, I0 = _segments.Count - 1, I1 = inputs.Length, I2 = outputs.Length, Y = outputs[0],
            D = outputs.Length > 1 ? outputs[1] : default, X = inputs[0], W = inputs.Length > 1 ? inputs[1] : default,
            B = inputs.Length > 2 ? inputs[2] : default, C = inputs.Length > 3 ? inputs[3] : default,
        });
    }

    internal static void RecomputeRule(Tape tape, in TapeRecord record)
    {
        Span<Var> inputs = [record.X, record.W, record.B, record.C];
        Span<Var> outputs = stackalloc Var[2];
        inputs = inputs[..record.I1];
        outputs = outputs[..record.I2];

        // Gradients of conditions outlive the segment; those of streams live in the memory of the incoming gradients (GateResidual passes them on).
        foreach (Var condition in inputs[record.I2..])
        {
            tape.AcquireZeroed(condition);
        }

        ArenaMark activations = tape.Activations.Mark();
        ArenaMark gradients = tape.GradientArena.Mark();
        int varCount = tape._varCount;
        int recordCount = tape._recordCount;
        tape._segments[record.I0].Run(tape, inputs, outputs);
        tape.SeedFrom(outputs[0], record.Y);
        if (record.I2 > 1)
        {
            tape.SeedFrom(outputs[1], record.D);
        }

        tape.Backward(recordCount);
        tape._varCount = varCount;
        tape.Activations.Release(activations);
        tape.GradientArena.Release(gradients);
    }

    private void SeedFrom(Var target, Var source)
    {
        Tensor gradient = Gradient(source);
        if (!gradient.IsNone)
        {
            Seed(target, gradient);
        }
    }
}
