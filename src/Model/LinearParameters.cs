using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Model;

/// <summary>Weight [out,in] and optional bias [out] of one linear layer or 1x1 convolution.</summary>
public readonly struct LinearParameters
{
    private readonly Parameter _weight;
    private readonly Parameter? _bias;
    private readonly Shape _matrix;

    /// <summary>Declares <c>name.weight</c> (with two more dimensions of 1 for a 1x1 convolution) and, if wanted, <c>name.bias</c>.</summary>
    public LinearParameters(ParameterStore store, string name, int inputs, int outputs, bool bias = true, bool convolution = false)
    {
        _matrix = new Shape(outputs, inputs);
        _weight = store.Declare($"{name}.weight", convolution ? new Shape(outputs, inputs, 1, 1) : _matrix);
        _bias = bias ? store.Declare($"{name}.bias", new Shape(outputs)) : null;
    }

    /// <summary>The weight as a matrix [out,in], as the network computes with it.</summary>
    public Tensor Matrix => _weight.Compute.Reshape(_matrix);

    /// <summary>activation(x W^T + b): x [..,in] to [..,out] or <paramref name="into"/>; in fp32 when <paramref name="wide"/>.</summary>
    public Var Apply(Tape tape, Var x, Activation activation = Activation.None, Var into = default, bool wide = false) =>
        tape.Linear(x, tape.Parameter(_weight, _matrix), Bias(tape), activation, into: into, wide: wide);

    /// <summary>residual + gate ⊙ (x W^T + b), see <see cref="Tape.ResidualLinear"/>.</summary>
    public Var ApplyResidual(Tape tape, Var x, Var residual, Var gate = default) =>
        tape.ResidualLinear(x, tape.Parameter(_weight, _matrix), Bias(tape), residual, gate);

    private Var Bias(Tape tape) => _bias is null ? default : tape.Parameter(_bias);
}
