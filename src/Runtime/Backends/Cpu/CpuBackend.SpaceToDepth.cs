namespace CoGrpo.Runtime.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc cref="IBackend.SpaceToDepth"/>
    public void SpaceToDepth(Tensor x, Tensor y)
    {
        SpaceDepthKernel kernel = SpaceDepthKernel.Between(x, y);
        _team.For(y.Shape[0] * y.Shape[1], &SpaceDepthKernel.ToDepth, &kernel, RowGrain(y.Shape[2] * y.Columns));
    }
}
