namespace CoGrpo.Runtime.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc cref="IBackend.Conv3x3"/>
    public void Conv3x3(Tensor x, Tensor weight, Tensor bias, Tensor y, ConvForm form, Tensor residual = default)
    {
        Require.Conv3x3(x, weight, bias, y, form, residual);
        Require.Matrix(x, -1, -1);
        Require.Matrix(y, -1, -1);
        bool doubled = form == ConvForm.Doubled;
        PatchRows patches = new()
        {
            X = x.F32,
            XStride = x.RowStride,
            Channels = x.Columns,
            Height = x.Shape[1],
            Width = x.Shape[2],
            OutHeight = doubled ? x.Shape[1] : y.Shape[1],
            OutWidth = doubled ? x.Shape[2] : y.Shape[2],
            Step = form == ConvForm.Halved ? 2 : 1,
            FirstTapRow = form == ConvForm.Same ? -1 : 0,
            FirstTapColumn = form == ConvForm.Same ? -1 : 0,
            Taps = doubled ? 2 : 3,
        };
        int k = patches.Taps * patches.Taps * x.Columns;
        MatrixProduct product = new()
        {
            Patches = &patches, AColumnStride = 1, B = weight.F32, BRowStride = 1, BColumnStride = k,
            M = x.Shape[0] * patches.OutHeight * patches.OutWidth, N = y.Columns, K = k,
            Epilogue = new LinearEpilogue
            {
                Y = y.F32, YStride = y.RowStride, Bias = bias.F32, Residual = residual.F32, ResidualStride = residual.RowStride, RowsPerGate = 1,
            },
        };
        if (!doubled)
        {
            product.Run(_team);
            return;
        }

        // The outputs of one parity see 2x2 pixels each: four products of 4 taps instead of one of 9 on four times the outputs.
        FoldedTaps taps = new()
        {
            Weight = weight.F32,
            Folded = (float*)_team.Scratch(0, (nuint)((long)y.Columns * k * sizeof(float))),
            Channels = x.Columns,
        };
        product.B = taps.Folded;
        product.Epilogue.LineRows = patches.OutWidth;
        product.Epilogue.LinePitch = 2 * y.Shape[2];
        product.Epilogue.RowPitch = 2;
        for (int phase = 0; phase < 4; phase++)
        {
            (taps.RowPhase, taps.ColumnPhase) = (phase / 2, phase % 2);
            _team.For(y.Columns, &FoldedTaps.Fold, &taps, RowGrain(9 * x.Columns));
            patches.FirstTapRow = taps.RowPhase - 1;
            patches.FirstTapColumn = taps.ColumnPhase - 1;
            nint first = ((nint)taps.RowPhase * y.Shape[2]) + taps.ColumnPhase;
            product.Epilogue.Y = y.F32 + (first * y.RowStride);
            product.Epilogue.Residual = residual.IsNone ? null : residual.F32 + (first * residual.RowStride);
            product.Run(_team);
        }
    }
}
