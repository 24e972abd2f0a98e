using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Runtime.Backends.Cuda;

#pragma warning disable CS1591, IDE0060, CA1822
public sealed unsafe partial class CudaBackend
{
    public void HeadSample(Tensor conditional, Tensor unconditional, Tensor head, in GuidedRows rows, NoiseAddress noise) => throw new NotImplementedException();

}
