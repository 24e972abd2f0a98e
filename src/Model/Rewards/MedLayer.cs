using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Model.Rewards;

/// <summary>
/// One post-LN layer of the text encoder (specs/reward-models.md 1.2): self attention, cross attention to the picture's tokens, MLP, each as
/// LN(dense(.) + input). Without recording inputs are overwritten.
/// </summary>
internal sealed class MedLayer
{
    private readonly Attention _self;
    private readonly Attention _cross;
    private readonly LinearParameters _expand;
    private readonly LinearParameters _contract;
    private readonly LayerNormParameters _norm;

    public MedLayer(ParameterStore store, string name, MedConfig config, int pictureWidth)
    {
        _self = new Attention(store, $"{name}.attention", config, config.HiddenSize);
        _cross = new Attention(store, $"{name}.crossattention", config, pictureWidth);
        _expand = new LinearParameters(store, $"{name}.intermediate.dense", config.HiddenSize, config.IntermediateSize);
        _contract = new LinearParameters(store, $"{name}.output.dense", config.IntermediateSize, config.HiddenSize);
        _norm = new LayerNormParameters(store, $"{name}.output.LayerNorm", config.HiddenSize, config.LayerNormEps);
    }

    /// <summary>Tokens [B,L,C] to the same, of all prompts among their own tokens.</summary>
    public Var AttendSelf(Tape tape, Var x) => _self.Run(tape, x, x);

    /// <summary>Tokens [B,L,C] to the same, with <paramref name="picture"/> [B,M,V].</summary>
    public Var AttendPicture(Tape tape, Var x, Var picture) => _cross.Run(tape, x, picture);

    /// <summary>Tokens to the same.</summary>
    public Var Transform(Tape tape, Var x) => _norm.Apply(tape, _contract.ApplyResidual(tape, _expand.Apply(tape, x, Activation.GeluErf), x));

    private sealed class Attention
    {
        private readonly int _heads;
        private readonly LinearParameters _query;
        private readonly LinearParameters _key;
        private readonly LinearParameters _value;
        private readonly LinearParameters _dense;
        private readonly LayerNormParameters _norm;

        public Attention(ParameterStore store, string name, MedConfig config, int keyWidth)
        {
            int width = config.HiddenSize;
            _heads = config.NumAttentionHeads;
            _query = new LinearParameters(store, $"{name}.self.query", width, width);
            _key = new LinearParameters(store, $"{name}.self.key", keyWidth, width);
            _value = new LinearParameters(store, $"{name}.self.value", keyWidth, width);
            _dense = new LinearParameters(store, $"{name}.output.dense", width, width);
            _norm = new LayerNormParameters(store, $"{name}.output.LayerNorm", width, config.LayerNormEps);
        }

        public Var Run(Tape tape, Var x, Var keys)
        {
            Var o = tape.Attention(_query.Apply(tape, x), _key.Apply(tape, keys), _value.Apply(tape, keys), _heads);
            return _norm.Apply(tape, _dense.ApplyResidual(tape, o, x));
        }
    }
}
