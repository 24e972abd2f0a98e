namespace CoGrpo.Runtime.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc cref="IBackend.LayerNorm"/>
    public void LayerNorm(Tensor x, Tensor weight, Tensor bias, Tensor y, Tensor stats, float epsilon)
    {
        Require.Matrix(x, -1, -1);
        Require.Matrix(y, x.Rows, x.Columns);
        Require.Count(weight, x.Columns);
        Require.Count(bias, x.Columns);
        Require.Count(stats, 2L * x.Rows);
        LayerNormKernel kernel = new()
        {
            X = x.F32,
            XStride = x.RowStride,
            Y = y.F32,
            YStride = y.RowStride,
            Multiplier = weight.F32,
            Addend = bias.F32,
            Stats = stats.F32,
            Columns = x.Columns,
            RowsPerGroup = Math.Max(1, x.Rows),
            Epsilon = epsilon,
        };
        _team.For(x.Rows, &LayerNormKernel.Forward, &kernel, RowGrain(x.Columns));
    }

    /// <inheritdoc cref="IBackend.LayerNormBackward"/>
    public void LayerNormBackward(Tensor dy, Tensor x, Tensor weight, Tensor stats, Tensor dx, bool accumulate, Tensor dweight, Tensor dbias)
    {
        Require.Matrix(x, -1, -1);
        Require.Count(weight, x.Columns);
        if (!dweight.IsNone)
        {
            Require.Count(dweight, x.Columns);
        }

        if (!dbias.IsNone)
        {
            Require.Count(dbias, x.Columns);
        }

        LayerNormBackwardOfGroups(dy, x, weight, 0f, Math.Max(1, x.Rows), stats, dx, accumulate, dweight, dbias);
    }
}
