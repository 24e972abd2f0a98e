using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Model.Clip;

/// <summary>A projection into the joint embedding: [C,D], stored with its inputs as rows, without bias.</summary>
internal readonly struct ClipProjection(Parameter weight)
{
    /// <summary>x [..,C] to fp32 [..,D].</summary>
    public Var Apply(Tape tape, Var x) => tape.Linear(x, tape.Parameter(weight), layout: WeightLayout.InOut, wide: true);
}
