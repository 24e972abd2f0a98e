namespace CoGrpo.Runtime.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc cref="IBackend.NearestCode"/>
    public void NearestCode(Tensor x, Tensor codebook, Tensor codes)
    {
        Require.NearestCode(x, codebook, codes);
        NearestCodeKernel kernel = new()
        {
            X = x.F32,
            XStride = x.RowStride,
            Codebook = codebook.F32,
            CodebookStride = codebook.RowStride,
            Codes = codes.I32,
            Rows = x.Rows,
            CodeCount = codebook.Rows,
            Width = x.Columns,
        };
        kernel.Panels = (float*)_team.SharedScratch((nuint)kernel.PanelCount * (nuint)kernel.Width * Lanes.Count * sizeof(float));
        _team.For(kernel.PanelCount, &NearestCodeKernel.Pack, &kernel, RowGrain(Lanes.Count * kernel.Width));
        _team.For((kernel.Rows + 3) / 4, &NearestCodeKernel.Find, &kernel, RowGrain((int)Math.Min(int.MaxValue, codebook.Shape.Count)));
    }
}
