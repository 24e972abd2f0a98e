namespace CoGrpo.Runtime.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc cref="IBackend.AdaLn"/>
    public void AdaLn(Tensor x, Tensor shift, Tensor scale, Tensor y, Tensor stats, float epsilon)
    {
        Require.Matrix(x, -1, -1);
        Require.Matrix(y, x.Rows, x.Columns);
        int rowsPerImage = RowsPerImage(x, shift, nameof(shift));
        Require.Matrix(shift, -1, x.Columns);
        Require.Matrix(scale, shift.Rows, x.Columns);
        Require.Count(stats, 2L * x.Rows);
        LayerNormKernel kernel = new()
        {
            X = x.F32,
            XStride = x.RowStride,
            Y = y.F32,
            YStride = y.RowStride,
            Multiplier = scale.F32,
            MultiplierStride = scale.RowStride,
            Addend = shift.F32,
            AddendStride = shift.RowStride,
            Stats = stats.F32,
            Columns = x.Columns,
            RowsPerGroup = rowsPerImage,
            Offset = 1f,
            Epsilon = epsilon,
        };
        _team.For(x.Rows, &LayerNormKernel.Forward, &kernel, RowGrain(x.Columns));
    }

    /// <inheritdoc cref="IBackend.AdaLnBackward"/>
    public void AdaLnBackward(Tensor dy, Tensor x, Tensor scale, Tensor stats, Tensor dx, bool accumulate, Tensor dshift, Tensor dscale)
    {
        Require.Matrix(x, -1, -1);
        int rowsPerImage = RowsPerImage(x, scale, nameof(scale));
        Require.Matrix(scale, -1, x.Columns);
        Require.Matrix(dshift, scale.Rows, x.Columns);
        Require.Matrix(dscale, scale.Rows, x.Columns);
        LayerNormBackwardOfGroups(dy, x, scale, 1f, rowsPerImage, stats, dx, accumulate, dscale, dshift);
    }

    /// <summary>Backward pass that AdaLN and layer norm share; either parameter gradient may be none.</summary>
    private void LayerNormBackwardOfGroups(
        Tensor dy,
        Tensor x,
        Tensor multiplier,
        float offset,
        int rowsPerGroup,
        Tensor stats,
        Tensor dx,
        bool accumulate,
        Tensor dmultiplier,
        Tensor daddend
    )
    {
        Require.Matrix(dy, x.Rows, x.Columns);
        Require.Matrix(dx, x.Rows, x.Columns);
        Require.Count(stats, 2L * x.Rows);
        if (x.Rows == 0)
        {
            return;
        }

        int groups = x.Rows / rowsPerGroup;
        int blocks = ColumnSums.Blocks(rowsPerGroup);
        bool sums = !dmultiplier.IsNone || !daddend.IsNone;
        LayerNormKernel kernel = new()
        {
            X = x.F32,
            XStride = x.RowStride,
            Y = dy.F32,
            YStride = dy.RowStride,
            Multiplier = multiplier.F32,
            MultiplierStride = multiplier.RowStride,
            Stats = stats.F32,
            Dx = dx.F32,
            DxStride = dx.RowStride,
            Partials = sums ? (float*)_team.Scratch(0, (nuint)groups * (nuint)blocks * 2 * (nuint)x.Columns * sizeof(float)) : null,
            Columns = x.Columns,
            RowsPerGroup = rowsPerGroup,
            Offset = offset,
            Accumulate = accumulate,
        };
        _team.For(groups * blocks, &LayerNormKernel.Backward, &kernel, BlockGrain(x.Columns));
        if (sums)
        {
            ColumnSums.Accumulate(_team, kernel.Partials, groups, blocks, 2, x.Columns, daddend, dmultiplier);
        }
    }
}
