namespace CoGrpo.Runtime.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc cref="IBackend.MaskedRows"/>
    public void MaskedRows(Tensor canvas, int maskToken, Tensor rows, Tensor count, Tensor masked, Tensor fractions)
    {
        Require.Rank(canvas, 2);
        (int images, int codes) = (canvas.Shape[0], canvas.Shape[1]);
        Require.Contiguous(canvas, images, codes, ElementType.Int32);
        Require.Count(rows, (long)images * codes, ElementType.Int32);
        Require.Count(count, 1, ElementType.Int32);
        Require.Count(masked, images, ElementType.Int32);
        Require.Count(fractions, images);
        int row = 0;
        for (int b = 0; b < images; b++)
        {
            int first = row;
            for (int i = b * codes; i < (b + 1) * codes; i++)
            {
                if (canvas.I32[i] == maskToken)
                {
                    rows.I32[row++] = i;
                }
            }

            masked.I32[b] = row - first;
            fractions.F32[b] = (row - first) / (float)codes;
        }

        *count.I32 = row;
    }
}
