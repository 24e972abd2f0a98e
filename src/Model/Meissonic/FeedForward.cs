using CoGrpo.Model.Lora;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Model.Meissonic;

/// <summary>Linear C to 4C, GELU (tanh), Linear 4C to C, under the published names <c>net.0.proj</c> and <c>net.2</c>.</summary>
internal sealed class FeedForward
{
    private readonly LinearParameters _expand;
    private readonly LinearParameters _contract;

    public FeedForward(ParameterStore store, string name, int width, ICollection<LoraSlot> slots)
    {
        _expand = new LinearParameters(store, $"{name}.net.0.proj", width, 4 * width, slots: slots);
        _contract = new LinearParameters(store, $"{name}.net.2", 4 * width, width, slots: slots);
    }

    /// <summary>residual + gate ⊙ MLP(x).</summary>
    public Var ApplyResidual(Tape tape, Var x, Var residual, Var gate) =>
        _contract.ApplyResidual(tape, _expand.Apply(tape, x, Activation.GeluTanh), residual, gate);
}
