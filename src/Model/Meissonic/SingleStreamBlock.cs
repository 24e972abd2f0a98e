using CoGrpo.Model.Lora;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Model.Meissonic;

/// <summary>
/// Single-stream block with parallel attention and MLP (specs/meissonic.md 3, steps 18-20): stream z [B,S,C], condition SiLU(temb) [B,C].
/// </summary>
internal sealed class SingleStreamBlock : ITapeSegment
{
    private const float Epsilon = 1e-6f;

    private readonly TransformerConfig _config;
    private readonly RotaryTable _rotary;
    private readonly LinearParameters _modulation;
    private readonly LinearParameters _q;
    private readonly LinearParameters _k;
    private readonly LinearParameters _v;
    private readonly Parameter _normQ;
    private readonly Parameter _normK;
    private readonly LinearParameters _mlp;
    private readonly LinearParameters _out;

    public SingleStreamBlock(ParameterStore store, string name, TransformerConfig config, RotaryTable rotary, ICollection<LoraSlot> slots)
    {
        _config = config;
        _rotary = rotary;
        int width = config.Width;
        _modulation = new LinearParameters(store, $"{name}.norm.linear", width, 3 * width);
        _q = new LinearParameters(store, $"{name}.attn.to_q", width, width, slots: slots);
        _k = new LinearParameters(store, $"{name}.attn.to_k", width, width, slots: slots);
        _v = new LinearParameters(store, $"{name}.attn.to_v", width, width, slots: slots);
        _normQ = store.Declare($"{name}.attn.norm_q.weight", new Shape(config.AttentionHeadDim));
        _normK = store.Declare($"{name}.attn.norm_k.weight", new Shape(config.AttentionHeadDim));
        _mlp = new LinearParameters(store, $"{name}.proj_mlp", width, 4 * width, slots: slots);
        _out = new LinearParameters(store, $"{name}.proj_out", 5 * width, width, slots: slots);
    }

    public void Run(Tape tape, ReadOnlySpan<Var> inputs, Span<Var> outputs)
    {
        Var z = inputs[0];
        int width = _config.Width;
        int heads = _config.NumAttentionHeads;
        Var modulation = tape.WithWideGradient(_modulation.Apply(tape, inputs[1]));
        Var a = tape.AdaLn(z, tape.Columns(modulation, 0, width), tape.Columns(modulation, width, width), Epsilon);
        Shape tokens = tape.Value(a).Shape;
        Var q = tape.Buffer(tokens);
        Var k = tape.Buffer(tokens);
        tape.QkNormRope(_q.Apply(tape, a), tape.Parameter(_normQ), _rotary.Cos, _rotary.Sin, q, 0, heads, Epsilon);
        tape.QkNormRope(_k.Apply(tape, a), tape.Parameter(_normK), _rotary.Cos, _rotary.Sin, k, 0, heads, Epsilon);
        Var v = _v.Apply(tape, a);

        // proj_out reads [attention, MLP]: both write their columns of one buffer, so the concatenation costs nothing.
        Var joined = tape.Buffer(new Shape(tokens[0], tokens[1], 5 * width));
        tape.Attention(q, k, v, heads, into: tape.Columns(joined, 0, width));
        _mlp.Apply(tape, a, Activation.GeluTanh, tape.Columns(joined, width, 4 * width));
        outputs[0] = _out.ApplyResidual(tape, joined, z, tape.Columns(modulation, 2 * width, width));
    }
}
