using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;

namespace CoGrpo.Model.Clip;

/// <summary>
/// Text tower of a <see cref="ClipModel"/> with open_clip names (specs/reward-models.md 2.2): causal pre-LN blocks without padding mask, the state at
/// the first of the largest ids projected into the joint embedding. <see cref="ClipTextEncoder"/> is the same network in the form that text-to-image
/// models publish. Forward only; its parameters are declared in the store of its owner.
/// </summary>
public sealed class ClipTextTower
{
    private const float Epsilon = 1e-5f;

    private readonly Parameter _tokens;
    private readonly Parameter _positions;
    private readonly PreNormBlock[] _blocks;
    private readonly LayerNormParameters _final;
    private readonly ClipProjection _projection;

    /// <summary>Declares the parameters in <paramref name="store"/> with <paramref name="prefix"/> before every name.</summary>
    internal ClipTextTower(ParameterStore store, string prefix, ClipModelConfig config)
    {
        Config = config.Text;
        int width = Config.Width;
        _tokens = store.Declare($"{prefix}token_embedding.weight", new Shape(Config.VocabSize, width));
        _positions = store.Declare($"{prefix}positional_embedding", new Shape(Config.ContextLength, width));
        PreNormForm form = new(width, Config.Heads, 4 * width, Epsilon, config.Activation, Causal: true);
        _blocks =
        [
            .. Enumerable
                .Range(0, Config.Layers)
                .Select(i => new PreNormBlock(store, $"{prefix}transformer.resblocks.{i}", PreNormNames.OpenClip, form)),
        ];
        _final = new LayerNormParameters(store, $"{prefix}ln_final", width, Epsilon);
        _projection = new ClipProjection(store.Declare($"{prefix}text_projection", new Shape(width, config.EmbedDim)));
    }

    /// <summary>The architecture.</summary>
    public ClipTextTowerConfig Config { get; }

    /// <summary>Called with the name and value of each intermediate of the golden fixtures.</summary>
    internal Action<string, Var>? Trace { get; set; }

    /// <summary>
    /// The ids of a prompt up to the first of the largest, the end token, whose state is the prompt's: under the causal mask nothing behind it
    /// matters.
    /// </summary>
    /// <exception cref="ModelException">There are none, more than the context has places for, or one is outside the vocabulary.</exception>
    public int[] UpToEnd(ReadOnlySpan<int> ids)
    {
        if (ids.IsEmpty || ids.Length > Config.ContextLength)
        {
            throw new ModelException(
                $"CLIP text input: wanted 1 to {Config.ContextLength} ids, got {ids.Length}; cut the prompt as the model's own tokenizer does"
            );
        }

        int end = 0;
        for (int i = 0; i < ids.Length; i++)
        {
            if ((uint)ids[i] >= (uint)Config.VocabSize)
            {
                throw new ModelException(
                    $"CLIP text input: wanted ids in [0,{Config.VocabSize}), got {ids[i]} at token {i}; use the model's own tokenizer"
                );
            }

            end = ids[i] > ids[end] ? i : end;
        }

        return [.. ids[..(end + 1)]];
    }

    /// <summary>Ids Int32 [B,L] on the tape's device, L at most the context, to states [B,L,C] behind the last layer norm.</summary>
    public Var Forward(Tape tape, Tensor ids)
    {
        ArgumentNullException.ThrowIfNull(tape);
        Var x = tape.Embedding(ids, tape.Parameter(_tokens), tape.Constant(_positions.Compute.RowRange(0, ids.Columns)));
        for (int i = 0; i < _blocks.Length; i++)
        {
            x = _blocks[i].Run(tape, x);
            Trace?.Invoke($"text.block.{i}", x);
        }

        return _final.Apply(tape, x);
    }

    /// <summary>
    /// The embedding fp32 [R,D], not normalised, of the states at <paramref name="rows"/> (Int32 [R], on the tape's device) of [B·L,C].
    /// </summary>
    public Var Embed(Tape tape, Var states, Tensor rows)
    {
        ArgumentNullException.ThrowIfNull(tape);
        Shape s = tape.Value(states).Shape;
        return _projection.Apply(tape, tape.GatherRows(tape.Reshape(states, new Shape(s.Rows, s.Columns)), rows));
    }

    /// <summary>All states in the joint embedding, fp32 [..,D].</summary>
    internal Var ProjectTokens(Tape tape, Var states) => _projection.Apply(tape, states);
}
