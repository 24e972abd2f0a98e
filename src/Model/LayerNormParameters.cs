using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;

namespace CoGrpo.Model;

/// <summary>Weight and bias [C] of one layer norm, and the call.</summary>
public readonly struct LayerNormParameters
{
    private readonly Parameter _weight;
    private readonly Parameter _bias;
    private readonly float _epsilon;

    /// <summary>Declares <c>name.weight</c> and <c>name.bias</c>; <paramref name="epsilon"/> is added to the variance.</summary>
    public LayerNormParameters(ParameterStore store, string name, int width, float epsilon)
    {
        _weight = store.Declare($"{name}.weight", new Shape(width));
        _bias = store.Declare($"{name}.bias", new Shape(width));
        _epsilon = epsilon;
    }

    /// <summary>LN(x) ⊙ weight + bias of x [..,C].</summary>
    public Var Apply(Tape tape, Var x) => tape.LayerNorm(x, tape.Parameter(_weight), tape.Parameter(_bias), _epsilon);
}
