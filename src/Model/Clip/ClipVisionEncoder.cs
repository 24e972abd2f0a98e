using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;

namespace CoGrpo.Model.Clip;

/// <summary>
/// Picture tower of CLIP with open_clip names (<c>visual.*</c>; specs/reward-models.md 2.2): patches without bias, class token, a layer norm before
/// the blocks and one behind them, a projection into the joint embedding. Forward only; its parameters are declared in the store of its owner.
/// </summary>
public sealed class ClipVisionEncoder
{
    private const float Epsilon = 1e-5f;

    private readonly PatchEmbedding _patches;
    private readonly LayerNormParameters _before;
    private readonly PreNormBlock[] _blocks;
    private readonly LayerNormParameters _after;
    private readonly ClipProjection _projection;

    /// <summary>Declares the parameters in <paramref name="store"/> with <paramref name="prefix"/> before <c>visual.</c>.</summary>
    internal ClipVisionEncoder(ParameterStore store, string prefix, ClipModelConfig config)
    {
        Config = config.Vision;
        string name = $"{prefix}visual";
        (int width, int patch) = (Config.Width, Config.PatchSize);
        Parameter classToken = store.Declare($"{name}.class_embedding", new Shape(width));
        Parameter positions = store.Declare($"{name}.positional_embedding", new Shape(Config.Tokens, width));
        _patches = new PatchEmbedding(
            classToken,
            positions,
            store.Declare($"{name}.conv1.weight", new Shape(width, 3, patch, patch)),
            null,
            Config.ImageSize
        );
        _before = new LayerNormParameters(store, $"{name}.ln_pre", width, Epsilon);
        PreNormForm form = new(width, Config.Heads, Config.MlpWidth, Epsilon, config.Activation);
        _blocks =
        [
            .. Enumerable
                .Range(0, Config.Layers)
                .Select(i => new PreNormBlock(store, $"{name}.transformer.resblocks.{i}", PreNormNames.OpenClip, form)),
        ];
        _after = new LayerNormParameters(store, $"{name}.ln_post", width, Epsilon);
        _projection = new ClipProjection(store.Declare($"{name}.proj", new Shape(width, config.EmbedDim)));
    }

    /// <summary>The architecture.</summary>
    public ClipVisionConfig Config { get; }

    /// <summary>Called with the name and value of each intermediate of the golden fixtures.</summary>
    internal Action<string, Var>? Trace { get; set; }

    /// <summary>Normalised pictures, fp32 [B,3,S,S] on the tape's device, to token states [B,1 + patches,C] behind the last block.</summary>
    /// <exception cref="ModelException">The pictures have another shape.</exception>
    public Var Forward(Tape tape, Tensor pixels)
    {
        ArgumentNullException.ThrowIfNull(tape);
        Var x = _patches.Apply(tape, pixels);
        ArenaMark mark = tape.Activations.Mark();
        tape.Add(_before.Apply(tape, x), into: x);
        tape.Scope(mark);
        Trace?.Invoke("visual.ln_pre", x);
        for (int i = 0; i < _blocks.Length; i++)
        {
            x = _blocks[i].Run(tape, x);
            Trace?.Invoke($"visual.block.{i}", x);
        }

        return x;
    }

    /// <summary>The embedding fp32 [B,D] of token states: that of the class token behind the last layer norm, not normalised.</summary>
    public Var Embed(Tape tape, Var tokens)
    {
        ArgumentNullException.ThrowIfNull(tape);
        Shape s = tape.Value(tokens).Shape;
        Tensor rows = tape.Activations.Allocate(new Shape(s[0]), ElementType.Int32);
        tape.Backend.Upload<int>([.. Enumerable.Range(0, s[0]).Select(b => b * s[1])], rows);
        return _projection.Apply(tape, _after.Apply(tape, tape.GatherRows(tape.Reshape(tokens, new Shape(s.Rows, s.Columns)), rows)));
    }

    /// <summary>All token states in the joint embedding, fp32 [..,D], without the last layer norm: what MPS attends from.</summary>
    internal Var ProjectTokens(Tape tape, Var tokens) => _projection.Apply(tape, tokens);
}
