namespace CoGrpo.Runtime.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    // Logits of this many rows and branches exist at a time.
    private const int HeadSampleRows = 256;

    /// <inheritdoc cref="IBackend.HeadSample"/>
    public void HeadSample(Tensor conditional, Tensor unconditional, Tensor head, in GuidedRows rows, NoiseAddress noise)
    {
        Require.GuidedRows(rows, noise);
        Require.Matrix(conditional, rows.ConditionalAt.IsNone ? RowCount(rows.Rows) : -1, -1);
        Require.Contiguous(head, -1, conditional.Columns);
        if (!unconditional.IsNone)
        {
            Require.Matrix(unconditional, rows.UnconditionalAt.IsNone ? conditional.Rows : -1, conditional.Columns);
        }

        int live = Live(rows.Rows);
        ArenaMark mark = _work.Mark();
        for (int first = 0; first < live; first += HeadSampleRows)
        {
            int count = Math.Min(HeadSampleRows, live - first);
            Tensor c = HeadLogits(conditional, rows.ConditionalAt, head, rows.Rows, first, count);
            Tensor u = unconditional.IsNone ? default : HeadLogits(unconditional, rows.UnconditionalAt, head, rows.Rows, first, count);
            Sample(c, u, rows with { ConditionalAt = default, UnconditionalAt = default }, noise, first, first + count);
            _work.Release(mark);
        }
    }

    private Tensor HeadLogits(Tensor hidden, Tensor at, Tensor head, Tensor rows, int first, int count)
    {
        Tensor part;
        if (at.IsNone)
        {
            part = hidden.RowRange(first, count);
        }
        else
        {
            part = _work.Allocate(new Shape(count, hidden.Columns));
            for (int i = 0; i < count; i++)
            {
                float* source = hidden.F32 + ((long)at.I32[rows.I32[first + i]] * hidden.RowStride);
                new ReadOnlySpan<float>(source, hidden.Columns).CopyTo(new Span<float>(part.F32 + ((long)i * hidden.Columns), hidden.Columns));
            }
        }

        Tensor logits = _work.Allocate(new Shape(count, head.Rows));
        Linear(part, head, default, logits);
        return logits;
    }
}
