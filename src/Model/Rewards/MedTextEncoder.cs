using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;

namespace CoGrpo.Model.Rewards;

/// <summary>
/// BLIP's text encoder with cross attention (specs/reward-models.md 1.2), forward only: word and position embeddings without token types, post-LN
/// layers, no mask since a prompt comes without padding. What does not depend on the picture, embeddings and first self attention, is computed once
/// for all pictures of a prompt.
/// </summary>
internal sealed class MedTextEncoder
{
    private readonly MedConfig _config;
    private readonly Parameter _words;
    private readonly Parameter _positions;
    private readonly LayerNormParameters _norm;
    private readonly MedLayer[] _layers;

    public MedTextEncoder(ParameterStore store, string name, MedConfig config, int pictureWidth)
    {
        _config = config;
        _words = store.Declare($"{name}.embeddings.word_embeddings.weight", new Shape(config.VocabSize, config.HiddenSize));
        _positions = store.Declare($"{name}.embeddings.position_embeddings.weight", new Shape(config.MaxPositionEmbeddings, config.HiddenSize));
        _norm = new LayerNormParameters(store, $"{name}.embeddings.LayerNorm", config.HiddenSize, config.LayerNormEps);
        _layers =
        [
            .. Enumerable.Range(0, config.NumHiddenLayers).Select(i => new MedLayer(store, $"{name}.encoder.layer.{i}", config, pictureWidth)),
        ];
    }

    /// <summary>Called with the name and value of each intermediate of the golden fixtures.</summary>
    public Action<string, Var>? Trace { get; set; }

    /// <summary>Refuses a prompt that cannot be encoded.</summary>
    /// <exception cref="ModelException">There are no ids, too many, or one is outside the vocabulary.</exception>
    public void Check(ReadOnlySpan<int> ids)
    {
        if (ids.IsEmpty || ids.Length > _config.MaxPositionEmbeddings)
        {
            throw new ModelException($"ImageReward text input: wanted 1 to {_config.MaxPositionEmbeddings} ids, got {ids.Length}; cut the prompt as the model's own tokenizer does");
        }

        for (int i = 0; i < ids.Length; i++)
        {
            if ((uint)ids[i] >= (uint)_config.VocabSize)
            {
                throw new ModelException($"ImageReward text input: wanted ids in [0,{_config.VocabSize}), got {ids[i]} at token {i}; use the tokenizer of bert-base-uncased");
            }
        }
    }

    /// <summary>States [G,L,C] behind the last layer of one prompt with each of G pictures.</summary>
    /// <param name="tape">A pass that does not record.</param>
    /// <param name="ids">L ids.</param>
    /// <param name="pictures">Tokens of the pictures, [G,M,V].</param>
    public Var Forward(Tape tape, ReadOnlySpan<int> ids, Var pictures)
    {
        (int count, int length, int width) = (tape.Value(pictures).Shape[0], ids.Length, _config.HiddenSize);
        Var x = tape.Buffer(new Shape(count, length, width));
        ArenaMark mark = tape.Activations.Mark();
        Tensor tokens = tape.Activations.Allocate(new Shape(1, length), ElementType.Int32);
        tape.Backend.Upload(ids, tokens);
        Var shared = _norm.Apply(tape, tape.Embedding(tokens, tape.Parameter(_words), tape.Constant(_positions.Compute.RowRange(0, length))));
        Trace?.Invoke("text.embeddings", shared);
        shared = _layers[0].AttendSelf(tape, shared);
        Trace?.Invoke("text.0.self", shared);
        Tensor copies = tape.Activations.Allocate(new Shape(count, length), ElementType.Int32);
        tape.Backend.Upload<int>([.. Enumerable.Range(0, count * length).Select(i => i % length)], copies);
        Keep(tape, mark, tape.Embedding(copies, tape.Reshape(shared, new Shape(length, width))), x);
        for (int i = 0; i < _layers.Length; i++)
        {
            if (i > 0)
            {
                Keep(tape, mark, _layers[i].AttendSelf(tape, x), x);
                Trace?.Invoke($"text.{i}.self", x);
            }

            Keep(tape, mark, _layers[i].AttendPicture(tape, x, pictures), x);
            Trace?.Invoke($"text.{i}.cross", x);
            Keep(tape, mark, _layers[i].Transform(tape, x), x);
            Trace?.Invoke($"text.{i}.out", x);
        }

        return x;
    }

    /// <summary>The stream := a result in memory that is given back, so that layers need no more than one of them does.</summary>
    private static void Keep(Tape tape, ArenaMark mark, Var result, Var stream)
    {
        tape.Add(result, into: stream);
        tape.Scope(mark);
    }
}
