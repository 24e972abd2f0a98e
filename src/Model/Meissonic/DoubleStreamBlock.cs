using CoGrpo.Model.Lora;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;

namespace CoGrpo.Model.Meissonic;

/// <summary>
/// Double-stream (MM) block (specs/meissonic.md 3, steps 11-17): streams h [B,n,C] (image) and c [B,L,C] (text) with joint attention
/// over [text, image], condition SiLU(temb) [B,C].
/// </summary>
internal sealed class DoubleStreamBlock : ITapeSegment
{
    private const float Epsilon = 1e-6f;

    private readonly TransformerConfig _config;
    private readonly RotaryTable _rotary;
    private readonly Stream _image;
    private readonly Stream _text;

    public DoubleStreamBlock(ParameterStore store, string name, TransformerConfig config, RotaryTable rotary, ICollection<LoraSlot> slots)
    {
        _config = config;
        _rotary = rotary;
        _image = new Stream(
            store,
            config,
            slots,
            $"{name}.norm1.linear",
            $"{name}.attn.to_q",
            $"{name}.attn.to_k",
            $"{name}.attn.to_v",
            $"{name}.attn.to_out.0",
            $"{name}.attn.norm_q.weight",
            $"{name}.attn.norm_k.weight",
            $"{name}.ff"
        );
        _text = new Stream(
            store,
            config,
            slots,
            $"{name}.norm1_context.linear",
            $"{name}.attn.add_q_proj",
            $"{name}.attn.add_k_proj",
            $"{name}.attn.add_v_proj",
            $"{name}.attn.to_add_out",
            $"{name}.attn.norm_added_q.weight",
            $"{name}.attn.norm_added_k.weight",
            $"{name}.ff_context"
        );
    }

    public void Run(Tape tape, ReadOnlySpan<Var> inputs, Span<Var> outputs)
    {
        Var h = inputs[0];
        Var c = inputs[1];
        Var condition = inputs[2];
        int images = tape.Value(h).Shape[0];
        int n = tape.Value(h).Shape[1];
        int length = tape.Value(c).Shape[1];
        Shape joint = new(images, length + n, _config.Width);
        Var q = tape.Buffer(joint);
        Var k = tape.Buffer(joint);
        Var v = tape.Buffer(joint);
        Var textModulation = _text.Project(tape, c, condition, _config, _rotary, q, k, v, 0);
        Var imageModulation = _image.Project(tape, h, condition, _config, _rotary, q, k, v, length);
        Var o = tape.Attention(q, k, v, _config.NumAttentionHeads);
        outputs[1] = _text.Finish(tape, c, o, 0, textModulation, _config.Width);
        outputs[0] = _image.Finish(tape, h, o, length, imageModulation, _config.Width);
    }

    /// <summary>The weights and the arithmetic of one of the two streams; they differ in names only.</summary>
    private sealed class Stream
    {
        private readonly LinearParameters _modulation;
        private readonly LinearParameters _q;
        private readonly LinearParameters _k;
        private readonly LinearParameters _v;
        private readonly LinearParameters _out;
        private readonly Parameter _normQ;
        private readonly Parameter _normK;
        private readonly FeedForward _mlp;

        public Stream(
            ParameterStore store,
            TransformerConfig config,
            ICollection<LoraSlot> slots,
            string modulation,
            string q,
            string k,
            string v,
            string output,
            string normQ,
            string normK,
            string mlp
        )
        {
            int width = config.Width;
            _modulation = new LinearParameters(store, modulation, width, 6 * width);
            _q = new LinearParameters(store, q, width, width, slots: slots);
            _k = new LinearParameters(store, k, width, width, slots: slots);
            _v = new LinearParameters(store, v, width, width, slots: slots);
            _out = new LinearParameters(store, output, width, width, slots: slots);
            _normQ = store.Declare(normQ, new Shape(config.AttentionHeadDim));
            _normK = store.Declare(normK, new Shape(config.AttentionHeadDim));
            _mlp = new FeedForward(store, mlp, width, slots);
        }

        /// <summary>
        /// Writes this stream's rows of q, k and v and returns its modulation [B,6C]: shift, scale, gate for attention, then for the MLP.
        /// </summary>
        public Var Project(Tape tape, Var x, Var condition, TransformerConfig config, RotaryTable rotary, Var q, Var k, Var v, int firstRow)
        {
            int width = config.Width;
            int heads = config.NumAttentionHeads;
            Var modulation = tape.WithWideGradient(_modulation.Apply(tape, condition));
            Var a = tape.AdaLn(x, tape.Columns(modulation, 0, width), tape.Columns(modulation, width, width), Epsilon);
            tape.QkNormRope(_q.Apply(tape, a), tape.Parameter(_normQ), rotary.Cos, rotary.Sin, q, firstRow, heads, Epsilon);
            tape.QkNormRope(_k.Apply(tape, a), tape.Parameter(_normK), rotary.Cos, rotary.Sin, k, firstRow, heads, Epsilon);
            tape.CopyTokens(_v.Apply(tape, a), 0, v, firstRow, tape.Value(x).Shape[1]);
            return modulation;
        }

        /// <summary>Adds the attention output rows and the MLP to the stream.</summary>
        public Var Finish(Tape tape, Var x, Var attention, int firstRow, Var modulation, int width)
        {
            Shape tokens = tape.Value(x).Shape;
            Var o = tape.Buffer(tokens);
            tape.CopyTokens(attention, firstRow, o, 0, tokens[1]);
            x = _out.ApplyResidual(tape, o, x, tape.Columns(modulation, 2 * width, width));
            Var u = tape.AdaLn(x, tape.Columns(modulation, 3 * width, width), tape.Columns(modulation, 4 * width, width), Epsilon);
            return _mlp.ApplyResidual(tape, u, x, tape.Columns(modulation, 5 * width, width));
        }
    }
}
