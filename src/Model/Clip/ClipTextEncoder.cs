using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Model.Clip;

/// <summary>
/// CLIP text tower (specs/meissonic.md 6.1) with Hugging Face names: pre-LN layers, causal attention without padding mask, exact GELU,
/// learned positions; token states from the last but one layer and a pooled projection.
/// </summary>
public sealed class ClipTextEncoder : IDisposable
{
    private readonly IBackend _backend;
    private readonly Parameter _tokens;
    private readonly Parameter _positions;
    private readonly ClipTextLayer[] _layers;
    private readonly Parameter _finalWeight;
    private readonly Parameter _finalBias;
    private readonly Parameter _projection;
    private int[] _poolRows = [];

    /// <summary>
    /// A network with zero weights; initialise or load <see cref="Parameters"/> before use. With <paramref name="share"/> a replica that uses those
    /// weights and has gradients of its own.
    /// </summary>
    /// <exception cref="ModelException">The configuration does not fit together.</exception>
    public ClipTextEncoder(ClipTextConfig config, IBackend backend, ParameterStore? share = null)
    {
        Config = config.Validated();
        _backend = backend;
        Parameters = new ParameterStore(backend, backend.Storage, "text encoder");
        _tokens = Parameters.Declare("text_model.embeddings.token_embedding.weight", new Shape(config.VocabSize, config.HiddenSize));
        _positions = Parameters.Declare(
            "text_model.embeddings.position_embedding.weight",
            new Shape(config.MaxPositionEmbeddings, config.HiddenSize)
        );
        _layers = new ClipTextLayer[config.NumHiddenLayers];
        for (int i = 0; i < _layers.Length; i++)
        {
            _layers[i] = new ClipTextLayer(Parameters, $"text_model.encoder.layers.{i}", config);
        }

        _finalWeight = Parameters.Declare("text_model.final_layer_norm.weight", new Shape(config.HiddenSize));
        _finalBias = Parameters.Declare("text_model.final_layer_norm.bias", new Shape(config.HiddenSize));
        _projection = Parameters.Declare("text_projection.weight", new Shape(config.ProjectionDim, config.HiddenSize));
        Parameters.Seal(share);
    }

    /// <summary>The architecture.</summary>
    public ClipTextConfig Config { get; }

    /// <summary>The weights, owned by this network.</summary>
    public ParameterStore Parameters { get; }

    /// <summary>Called with the name and value of each intermediate of the golden fixtures.</summary>
    internal Action<string, Var>? Trace { get; set; }

    /// <summary>
    /// Encodes prompts. <paramref name="ids"/> holds B rows of <see cref="ClipTextConfig.MaxPositionEmbeddings"/> ids. Returns the token
    /// states [B,L,C] before the last layer; <paramref name="pooled"/> [B,P] is the projection of the final state at the end token, not normalised.
    /// </summary>
    /// <exception cref="ModelException">The count of ids is not a multiple of L or an id is out of range.</exception>
    public Var Forward(Tape tape, ReadOnlySpan<int> ids, out Var pooled)
    {
        int length = Config.MaxPositionEmbeddings;
        if (ids.IsEmpty || ids.Length % length != 0)
        {
            throw new ModelException(
                $"text encoder input: wanted a multiple of {length} ids, got {ids.Length}; pad or cut each prompt to {length} tokens"
            );
        }

        int batch = ids.Length / length;
        Tensor idTensor = tape.Activations.Allocate(new Shape(batch, length), ElementType.Int32);
        _backend.Upload(ids, idTensor);
        Var x = tape.Embedding(idTensor, tape.Parameter(_tokens), tape.Parameter(_positions));
        Trace?.Invoke("hidden_states.0", x);
        Var penultimate = default;
        for (int i = 0; i < _layers.Length; i++)
        {
            if (i == _layers.Length - 1)
            {
                // The last layer updates the stream in place when nothing is recorded.
                penultimate = tape.Recording ? x : tape.Add(x);
            }

            x = _layers[i].Run(tape, x);
            Trace?.Invoke($"hidden_states.{i + 1}", x);
        }

        Var last = tape.LayerNorm(x, tape.Parameter(_finalWeight), tape.Parameter(_finalBias), Config.LayerNormEps);
        Trace?.Invoke("last_hidden_state", last);
        Var rows = tape.GatherRows(tape.Reshape(last, new Shape(batch * length, Config.HiddenSize)), PoolRows(tape, ids, batch));
        pooled = tape.Linear(rows, tape.Parameter(_projection));
        Trace?.Invoke("text_embeds", pooled);
        return penultimate;
    }

    /// <summary>Frees the weights.</summary>
    public void Dispose() => Parameters.Dispose();

    private Tensor PoolRows(Tape tape, ReadOnlySpan<int> ids, int batch)
    {
        int length = Config.MaxPositionEmbeddings;
        if (_poolRows.Length < batch)
        {
            _poolRows = new int[batch];
        }

        for (int b = 0; b < batch; b++)
        {
            ReadOnlySpan<int> row = ids.Slice(b * length, length);
            int place = 0;
            for (int i = 0; i < length; i++)
            {
                if ((uint)row[i] >= (uint)Config.VocabSize)
                {
                    throw new ModelException($"text encoder input: wanted ids in [0,{Config.VocabSize}), got {row[i]} in prompt {b}, token {i}; use the model's own tokenizer");
                }

                place = row[i] > row[place] ? i : place;
            }

            if (Config.EosTokenId != 2)
            {
                place = Config.EosTokenId < 0 ? 0 : row.IndexOf(Config.EosTokenId);
                if (place < 0)
                {
                    throw new ModelException($"text encoder input: wanted the end token {Config.EosTokenId} in every prompt, prompt {b} has none; use the model's own tokenizer");
                }
            }

            _poolRows[b] = (b * length) + place;
        }

        Tensor rows = tape.Activations.Allocate(new Shape(batch), ElementType.Int32);
        _backend.Upload<int>(_poolRows.AsSpan(0, batch), rows);
        return rows;
    }
}
