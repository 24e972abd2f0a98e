using System.Numerics.Tensors;

namespace CoGrpo.Runtime.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc cref="IBackend.Scale"/>
    public void Scale(Tensor x, float factor, Tensor y)
    {
        Require.Count(x, x.Shape.Count);
        Require.Count(y, x.Shape.Count);
        int count = checked((int)x.Shape.Count);
        TensorPrimitives.Multiply(new ReadOnlySpan<float>(x.F32, count), factor, new Span<float>(y.F32, count));
    }
}
