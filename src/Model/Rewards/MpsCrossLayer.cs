using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Model.Rewards;

/// <summary>
/// One layer of the cross model (specs/reward-models.md 3.2, 5), without biases: x += cross attention + MLP of one norm of x; x += self attention +
/// MLP of another. Attention has many query heads and one head of keys and values, hence is that of one head with as many more queries. Forward only;
/// x is updated in place.
/// </summary>
internal sealed class MpsCrossLayer
{
    private const float Epsilon = 1e-5f;

    private readonly MpsConfig _config;
    private readonly Parameter _crossNorm;
    private readonly Parameter _query;
    private readonly Parameter _keyValue;
    private readonly Parameter _crossOut;
    private readonly Parameter _crossExpand;
    private readonly Parameter _crossContract;
    private readonly Parameter _selfNorm;
    private readonly Parameter _fused;
    private readonly Parameter _selfOut;
    private readonly Parameter _selfContract;

    public MpsCrossLayer(ParameterStore store, string name, MpsConfig config)
    {
        _config = config;
        (int width, int inner, int mlp) = (config.Clip.EmbedDim, config.Heads * config.HeadWidth, config.MlpWidth);
        _crossNorm = store.Declare($"{name}.0.fn.norm.weight", new Shape(width));
        _query = store.Declare($"{name}.0.fn.to_q.weight", new Shape(inner, width));
        _keyValue = store.Declare($"{name}.0.fn.to_kv.weight", new Shape(2 * config.HeadWidth, width));
        _crossOut = store.Declare($"{name}.0.fn.to_out.weight", new Shape(width, inner));
        _crossExpand = store.Declare($"{name}.0.fn.ff.0.weight", new Shape(2 * mlp, width));
        _crossContract = store.Declare($"{name}.0.fn.ff.2.weight", new Shape(width, mlp));
        _selfNorm = store.Declare($"{name}.1.fn.norm.weight", new Shape(width));
        _fused = store.Declare($"{name}.1.fn.fused_attn_ff_proj.weight", new Shape(inner + (2 * config.HeadWidth) + (2 * mlp), width));
        _selfOut = store.Declare($"{name}.1.fn.attn_out.weight", new Shape(width, inner));
        _selfContract = store.Declare($"{name}.1.fn.ff_out.1.weight", new Shape(width, mlp));
    }

    /// <summary>Buffers that published files have beside the weights.</summary>
    public static IEnumerable<string> Buffers(string name) =>
        [$"{name}.0.fn.norm.bias", $"{name}.1.fn.norm.bias", $"{name}.1.fn.rotary_emb.inv_freq"];

    /// <param name="tape">A pass that does not record.</param>
    /// <param name="x">Picture tokens [G,N,C].</param>
    /// <param name="text">Tokens [1,K,C] of the prompt of these pictures that are attended to.</param>
    /// <param name="rotary">Tables for as many pictures or more.</param>
    /// <param name="zero">C zeros: the norms have no bias.</param>
    public void Run(Tape tape, Var x, Var text, MpsRotary rotary, Var zero)
    {
        ArenaMark mark = tape.Activations.Mark();
        Shape s = tape.Value(x).Shape;
        (int head, int inner) = (_config.HeadWidth, _config.Heads * _config.HeadWidth);
        Var n = tape.LayerNorm(x, tape.Parameter(_crossNorm), zero, Epsilon);
        Var keyValue = tape.Linear(text, tape.Parameter(_keyValue));
        Var q = tape.Reshape(tape.Linear(n, tape.Parameter(_query)), new Shape(1, s.Rows * _config.Heads, head));
        Attend(tape, q, tape.Columns(keyValue, 0, head), tape.Columns(keyValue, head, head), _crossOut, x);
        Mlp(tape, n, _crossExpand.Compute, _crossContract, x);
        tape.Scope(mark);

        n = tape.LayerNorm(x, tape.Parameter(_selfNorm), zero, Epsilon);
        q = tape.Reshape(rotary.Apply(tape, Part(tape, n, 0, inner)), new Shape(s[0], s[1] * _config.Heads, head));
        Attend(tape, q, rotary.Apply(tape, Part(tape, n, inner, head)), Part(tape, n, inner + head, head), _selfOut, x);
        Mlp(tape, n, _fused.Compute.RowRange(inner + (2 * head), 2 * _config.MlpWidth), _selfContract, x);
        tape.Scope(mark);
    }

    /// <summary>The product of n with some rows of the joint weight.</summary>
    private Var Part(Tape tape, Var n, int first, int count) => tape.Linear(n, tape.Constant(_fused.Compute.RowRange(first, count)));

    private static void Attend(Tape tape, Var q, Var k, Var v, Parameter output, Var x)
    {
        Shape s = tape.Value(x).Shape;
        Var o = tape.Attention(q, k, v, 1);
        tape.ResidualLinear(tape.Reshape(o, new Shape(s[0], s[1], output.Shape[1])), tape.Parameter(output), default, x);
    }

    /// <summary>x += W2 (SiLU(g) ⊙ a), a and g the halves of W1 n.</summary>
    private void Mlp(Tape tape, Var n, Tensor expand, Parameter contract, Var x)
    {
        Shape s = tape.Value(n).Shape;
        int width = _config.MlpWidth;
        Var gate = tape.Linear(n, tape.Constant(expand.RowRange(width, width)), activation: Activation.Silu);
        Var inside = tape.Buffer(new Shape(s[0], s[1], width));
        tape.Backend.Linear(tape.Value(n), expand.RowRange(0, width), default, tape.Value(inside), gate: tape.Value(gate));
        tape.ResidualLinear(inside, tape.Parameter(contract), default, x);
    }
}
