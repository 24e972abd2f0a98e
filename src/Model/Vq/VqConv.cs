using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Model.Vq;

/// <summary>Weight and bias of a 3x3 convolution, and the call.</summary>
internal sealed class VqConv
{
    private readonly Parameter _weight;
    private readonly Parameter _bias;

    public VqConv(ParameterStore store, string name, int inputs, int outputs)
    {
        _weight = store.Declare($"{name}.weight", new Shape(outputs, inputs, 3, 3), ParameterLayout.ChannelsLast);
        _bias = store.Declare($"{name}.bias", new Shape(outputs));
    }

    /// <summary>Channels of the result.</summary>
    public int Outputs => _weight.Shape[0];

    /// <summary>y := the convolution of x, plus residual if given.</summary>
    public void Run(IBackend backend, Tensor x, Tensor y, ConvForm form = ConvForm.Same, Tensor residual = default) =>
        backend.Conv3x3(x, _weight.Compute, _bias.Compute, y, form, residual);
}
