using CoGrpo.Model.Lora;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Model;

/// <summary>Weight [out,in] and optional bias [out] of one linear layer or 1x1 convolution, and the adapter put on it, if any.</summary>
public readonly struct LinearParameters
{
    private readonly Parameter _weight;
    private readonly Parameter? _bias;
    private readonly Shape _matrix;
    private readonly LoraSlot? _slot;

    /// <summary>
    /// Declares <c>name.weight</c> (with two more dimensions of 1 for a 1x1 convolution) and, if wanted, <c>name.bias</c>; with
    /// <paramref name="slots"/> the layer can have an adapter and is added to them.
    /// </summary>
    public LinearParameters(
        ParameterStore store,
        string name,
        int inputs,
        int outputs,
        bool bias = true,
        bool convolution = false,
        ICollection<LoraSlot>? slots = null
    )
    {
        _matrix = new Shape(outputs, inputs);
        _weight = store.Declare($"{name}.weight", convolution ? new Shape(outputs, inputs, 1, 1) : _matrix);
        _bias = bias ? store.Declare($"{name}.bias", new Shape(outputs)) : null;
        if (slots is not null)
        {
            _slot = new LoraSlot(name, _weight);
            slots.Add(_slot);
        }
    }

    /// <summary>Declares weight [out,in] and bias [out] under names that do not end as usual, and without an adapter.</summary>
    public LinearParameters(ParameterStore store, (string Weight, string Bias) names, int inputs, int outputs)
    {
        _matrix = new Shape(outputs, inputs);
        _weight = store.Declare(names.Weight, _matrix);
        _bias = store.Declare(names.Bias, new Shape(outputs));
    }

    /// <summary>The weight as a matrix [out,in], as the network computes with it.</summary>
    public Tensor Matrix => _weight.Compute.Reshape(_matrix);

    /// <summary>
    /// activation(x W^T + b): x [..,in] to [..,out] or <paramref name="into"/>; in fp32 when <paramref name="wide"/>. An adapter adds to W.
    /// </summary>
    public Var Apply(Tape tape, Var x, Activation activation = Activation.None, Var into = default, bool wide = false)
    {
        if (_slot?.Adapter is not { } adapter)
        {
            return tape.Linear(x, tape.Parameter(_weight, _matrix), Bias(tape), activation, into: into, wide: wide);
        }

        bool activates = activation != Activation.None;
        Var y = tape.Linear(x, tape.Parameter(_weight, _matrix), Bias(tape), into: activates ? default : into, wide: wide);
        adapter.AddTo(tape, x, y);
        return activates ? tape.Activate(y, activation, into) : y;
    }

    /// <summary>residual + gate ⊙ (x W^T + b), see <see cref="Tape.ResidualLinear"/>. An adapter adds to W.</summary>
    public Var ApplyResidual(Tape tape, Var x, Var residual, Var gate = default) => _slot?.Adapter is null
        ? tape.ResidualLinear(x, tape.Parameter(_weight, _matrix), Bias(tape), residual, gate)
        : tape.GateResidual(residual, Apply(tape, x), gate);

    private Var Bias(Tape tape) => _bias is null ? default : tape.Parameter(_bias);
}
