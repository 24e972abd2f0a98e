using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Model;

/// <summary>
/// One pre-LN layer with joint query, key and value weight: x += out(attn(LN1(x))); x += fc2(f(fc1(LN2(x)))). The towers of CLIP and the picture
/// encoder of BLIP are made of it. Without recording it gives back the memory that it took; x is updated in place.
/// </summary>
internal sealed class PreNormBlock
{
    private readonly PreNormForm _form;
    private readonly LayerNormParameters _norm1;
    private readonly LinearParameters _qkv;
    private readonly LinearParameters _out;
    private readonly LayerNormParameters _norm2;
    private readonly LinearParameters _fc1;
    private readonly LinearParameters _fc2;

    public PreNormBlock(ParameterStore store, string name, PreNormNames names, PreNormForm form)
    {
        _form = form;
        int width = form.Width;
        _norm1 = new LayerNormParameters(store, $"{name}.{names.Norm1}", width, form.Epsilon);
        _qkv = new LinearParameters(store, ($"{name}.{names.QkvWeight}", $"{name}.{names.QkvBias}"), width, 3 * width);
        _out = new LinearParameters(store, $"{name}.{names.Out}", width, width);
        _norm2 = new LayerNormParameters(store, $"{name}.{names.Norm2}", width, form.Epsilon);
        _fc1 = new LinearParameters(store, $"{name}.{names.Fc1}", width, form.MlpWidth);
        _fc2 = new LinearParameters(store, $"{name}.{names.Fc2}", form.MlpWidth, width);
    }

    /// <summary>x [B,N,C] to the same.</summary>
    public Var Run(Tape tape, Var x)
    {
        ArenaMark mark = tape.Activations.Mark();
        int width = _form.Width;
        Var qkv = _qkv.Apply(tape, _norm1.Apply(tape, x));
        Var o = tape.Attention(
            tape.Columns(qkv, 0, width),
            tape.Columns(qkv, width, width),
            tape.Columns(qkv, 2 * width, width),
            _form.Heads,
            _form.Causal
        );
        x = _out.ApplyResidual(tape, o, x);
        tape.Scope(mark);
        x = _fc2.ApplyResidual(tape, _fc1.Apply(tape, _norm2.Apply(tape, x), _form.Activation), x);
        tape.Scope(mark);
        return x;
    }
}
