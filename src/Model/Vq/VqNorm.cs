using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Model.Vq;

/// <summary>Weight and bias of a group norm that a SiLU follows, and the call.</summary>
internal sealed class VqNorm
{
    private const float Epsilon = 1e-6f;

    private readonly Parameter _weight;
    private readonly Parameter _bias;
    private readonly int _groups;

    public VqNorm(ParameterStore store, string name, int channels, int groups)
    {
        _weight = store.Declare($"{name}.weight", new Shape(channels));
        _bias = store.Declare($"{name}.bias", new Shape(channels));
        _groups = groups;
    }

    /// <summary>y := SiLU of the norm of x; y may be x.</summary>
    public void Run(IBackend backend, Tensor x, Tensor y) =>
        backend.GroupNorm(x, _weight.Compute, _bias.Compute, y, _groups, Epsilon, Activation.Silu);
}
