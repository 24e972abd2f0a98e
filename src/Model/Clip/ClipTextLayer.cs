using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Model.Clip;

/// <summary>One pre-LN layer of the text tower: x += out(attn(LN1(x))); x += fc2(gelu(fc1(LN2(x)))).</summary>
internal sealed class ClipTextLayer
{
    private readonly ClipTextConfig _config;
    private readonly Parameter _norm1Weight;
    private readonly Parameter _norm1Bias;
    private readonly Parameter _norm2Weight;
    private readonly Parameter _norm2Bias;
    private readonly LinearParameters _q;
    private readonly LinearParameters _k;
    private readonly LinearParameters _v;
    private readonly LinearParameters _out;
    private readonly LinearParameters _fc1;
    private readonly LinearParameters _fc2;

    public ClipTextLayer(ParameterStore store, string name, ClipTextConfig config)
    {
        _config = config;
        int width = config.HiddenSize;
        _q = new LinearParameters(store, $"{name}.self_attn.q_proj", width, width);
        _k = new LinearParameters(store, $"{name}.self_attn.k_proj", width, width);
        _v = new LinearParameters(store, $"{name}.self_attn.v_proj", width, width);
        _out = new LinearParameters(store, $"{name}.self_attn.out_proj", width, width);
        _norm1Weight = store.Declare($"{name}.layer_norm1.weight", new Shape(width));
        _norm1Bias = store.Declare($"{name}.layer_norm1.bias", new Shape(width));
        _norm2Weight = store.Declare($"{name}.layer_norm2.weight", new Shape(width));
        _norm2Bias = store.Declare($"{name}.layer_norm2.bias", new Shape(width));
        _fc1 = new LinearParameters(store, $"{name}.mlp.fc1", width, config.IntermediateSize);
        _fc2 = new LinearParameters(store, $"{name}.mlp.fc2", config.IntermediateSize, width);
    }

    public Var Run(Tape tape, Var x)
    {
        Var a = tape.LayerNorm(x, tape.Parameter(_norm1Weight), tape.Parameter(_norm1Bias), _config.LayerNormEps);
        Var o = tape.Attention(_q.Apply(tape, a), _k.Apply(tape, a), _v.Apply(tape, a), _config.NumAttentionHeads, causal: true);
        x = _out.ApplyResidual(tape, o, x);
        a = tape.LayerNorm(x, tape.Parameter(_norm2Weight), tape.Parameter(_norm2Bias), _config.LayerNormEps);
        return _fc2.ApplyResidual(tape, _fc1.Apply(tape, a, Activation.GeluErf), x);
    }
}
