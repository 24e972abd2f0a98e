namespace CoGrpo.Runtime.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc cref="IBackend.DepthToSpace"/>
    public void DepthToSpace(Tensor x, Tensor y)
    {
        SpaceDepthKernel kernel = SpaceDepthKernel.Between(y, x);
        _team.For(Live(x) / x.Shape[2], &SpaceDepthKernel.ToSpace, &kernel, RowGrain(x.Shape[2] * x.Columns));
    }
}
