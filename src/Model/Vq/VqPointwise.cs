using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Model.Vq;

/// <summary>Weight and bias of a 1x1 convolution, and the call: a matrix product of pixels.</summary>
internal sealed class VqPointwise
{
    private readonly Parameter _weight;
    private readonly Parameter _bias;

    public VqPointwise(ParameterStore store, string name, int inputs, int outputs)
    {
        _weight = store.Declare($"{name}.weight", new Shape(outputs, inputs, 1, 1));
        _bias = store.Declare($"{name}.bias", new Shape(outputs));
    }

    /// <summary>Channels of the result.</summary>
    public int Outputs => _weight.Shape[0];

    /// <summary>y := the convolution of x.</summary>
    public void Run(IBackend backend, Tensor x, Tensor y) =>
        backend.Linear(x, _weight.Compute.Reshape(new Shape(_weight.Shape[0], _weight.Shape[1])), _bias.Compute, y);
}
