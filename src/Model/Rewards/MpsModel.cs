using CoGrpo.Model.Clip;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Files;

namespace CoGrpo.Model.Rewards;

/// <summary>
/// MPS, the multi-dimensional preference score, its "overall" head (specs/reward-models.md 3.2), forward only: CLIP's picture tokens attend to those
/// of the prompt's tokens that match a fixed condition; the score is the logit between the result and the prompt. Towers have open_clip names behind
/// <c>model.</c>, the cross model the published ones.
/// </summary>
/// <remarks>
/// Unverified, since no weights could be read: padding id and threshold (<see cref="MpsConfig"/>), names in published copies. There are no golden
/// values of the original; the arithmetic is checked against a plain fp64 form of its code. Each prompt is masked by its own best match, as where the
/// original scores one at a time.
/// </remarks>
public sealed class MpsModel : IRewardModel
{
    private const string Towers = "model.";

    private readonly Parameter _logitScale;
    private readonly ClipVisionEncoder _vision;
    private readonly ClipTextTower _text;
    private readonly MpsCrossLayer[] _layers;
    private readonly InferencePass _pass;
    private readonly int[] _condition;
    private float[] _conditionTokens = [];

    /// <summary>
    /// A model with zero weights; load <see cref="Parameters"/> before use. With <paramref name="share"/> a replica that uses those weights and has
    /// work memory of its own.
    /// </summary>
    /// <param name="config">The architecture.</param>
    /// <param name="condition">Ids of <see cref="MpsConfig.OverallCondition"/> as the tokenizer makes them, padding left out.</param>
    /// <param name="backend">Where the model lives.</param>
    /// <param name="storage">Element type of weights and activations.</param>
    /// <param name="share">Weights of a model of the same architecture and storage.</param>
    /// <exception cref="ModelException">The configuration does not fit together or the condition cannot be encoded.</exception>
    public MpsModel(
        MpsConfig config,
        ReadOnlySpan<int> condition,
        IBackend backend,
        ElementType storage = ElementType.Float32,
        ParameterStore? share = null
    )
    {
        ArgumentNullException.ThrowIfNull(config);
        Config = config.Validated();
        Backend = backend;
        Parameters = new ParameterStore(backend, storage, "reward model");
        _logitScale = Parameters.Declare($"{Towers}logit_scale", new Shape(1));
        _text = new ClipTextTower(Parameters, Towers, config.Clip);
        _vision = new ClipVisionEncoder(Parameters, Towers, config.Clip);
        _layers = [.. Enumerable.Range(0, config.Layers).Select(i => new MpsCrossLayer(Parameters, LayerName(i), config))];
        _condition = Padded(condition);
        Parameters.Seal(share);
        _pass = new InferencePass(backend, "rewards", storage);
    }

    /// <summary>Where the model lives.</summary>
    public IBackend Backend { get; }

    /// <summary>The architecture.</summary>
    public MpsConfig Config { get; }

    /// <summary>The weights, owned by this model. Those of the text tower are used on the condition at the first score.</summary>
    public ParameterStore Parameters { get; }

    /// <summary>Most pictures of a pass, at most 128; work memory grows with it, bits do not change.</summary>
    public int BatchSize { get; init; } = 16;

    /// <inheritdoc/>
    public long ParameterCount => Parameters.ParameterCount;

    /// <inheritdoc/>
    public int ImageSize => Config.Clip.Vision.ImageSize;

    /// <summary>Bytes of work memory held.</summary>
    public long WorkBytes => _pass.ReservedBytes;

    /// <summary>
    /// Reads the network at <paramref name="path"/>: a file of the published architecture, or a folder with one file of weights and a configuration.
    /// </summary>
    /// <exception cref="ModelException">As for the other form, or there is no such file.</exception>
    /// <exception cref="WeightsFileException">The file is damaged.</exception>
    public static MpsModel Load(string path, ReadOnlySpan<int> condition, IBackend backend)
    {
        RewardSource source = RewardSource.Of("MPS", path);
        return Load(source.Weights, source.Architecture(new MpsConfig()), condition, backend);
    }

    /// <summary>
    /// Of the architecture that <see cref="Load(string, ReadOnlySpan{int}, IBackend)"/> would find at <paramref name="path"/>, with zero weights; the
    /// published one where there is nothing. For plans.
    /// </summary>
    /// <exception cref="ModelException">The configuration there is malformed.</exception>
    public static MpsModel Planned(string? path, ReadOnlySpan<int> condition, IBackend backend) =>
        new(RewardSource.Planned("MPS", path).Architecture(new MpsConfig()), condition, backend);

    /// <summary>Reads a file of weights whose towers have open_clip names behind <c>model.</c>; buffers of the cross model may be in it.</summary>
    /// <exception cref="ModelException">The weights are not those of the architecture; every tensor that is missing is named.</exception>
    /// <exception cref="WeightsFileException">The file is damaged.</exception>
    public static MpsModel Load(
        string path,
        MpsConfig config,
        ReadOnlySpan<int> condition,
        IBackend backend,
        ElementType storage = ElementType.Float32
    )
    {
        var model = new MpsModel(config, condition, backend, storage);
        try
        {
            using ITensorSource source = RewardWeights.Open(path);
            HashSet<string> buffers = [.. Enumerable.Range(0, config.Layers).SelectMany(i => MpsCrossLayer.Buffers(LayerName(i)))];
            ParameterFile.Load(source, path, model.Parameters, backend, buffers.Contains);
            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Score(ReadOnlyMemory<float> pixels, IReadOnlyList<int[]> prompts, ReadOnlySpan<int> promptOf, Span<double> scores)
    {
        RewardInput.Check("MPS", ImageSize, pixels, prompts, promptOf, scores);
        MpsPrompt?[] encoded = new MpsPrompt[prompts.Count];
        foreach (int prompt in promptOf)
        {
            encoded[prompt] ??= Encode(prompts[prompt]);
        }

        float[] logarithm = new float[1];
        Backend.Download<float>(_logitScale.Value, logarithm);
        double scale = Math.Exp(logarithm[0]);
        int perPicture = 3 * ImageSize * ImageSize, width = Config.Clip.EmbedDim;
        for (int first = 0; first < promptOf.Length; first += BatchSize)
        {
            int count = Math.Min(BatchSize, promptOf.Length - first);
            ReadOnlyMemory<float> part = pixels.Slice(first * perPicture, count * perPicture);
            MpsPrompt[] of = [.. promptOf.Slice(first, count).ToArray().Select(prompt => encoded[prompt]!)];
            float[] values = new float[count * width];
            double[] features = new double[values.Length];
            Backend.Download<float>(_pass.Run(tape => Features(tape, part, of)), values);
            UnitVector.Rows(values, width, features);
            for (int i = 0; i < count; i++)
            {
                scores[first + i] = scale * UnitVector.Dot(features.AsSpan(i * width, width), of[i].Feature);
            }
        }
    }

    /// <summary>Frees weights and work memory.</summary>
    public void Dispose()
    {
        _pass.Dispose();
        Parameters.Dispose();
    }

    /// <summary>Embeddings [L,D] of all tokens of ids that fill the context.</summary>
    internal float[] TextTokens(int[] ids)
    {
        float[] tokens = new float[ids.Length * Config.Clip.EmbedDim];
        Backend.Download<float>(_pass.Run(tape =>
        {
            Tensor row = tape.Activations.Allocate(new Shape(1, ids.Length), ElementType.Int32);
            tape.Backend.Upload<int>(ids, row);
            return tape.Value(_text.ProjectTokens(tape, _text.Forward(tape, row)));
        }), tokens);
        return tokens;
    }

    /// <summary>Embeddings fp32 [B,N,D] of all tokens of pictures.</summary>
    internal Tensor PictureTokens(Tape tape, ReadOnlyMemory<float> pixels, int pictures)
    {
        Tensor x = tape.Activations.Allocate(new Shape(pictures, 3, ImageSize, ImageSize));
        tape.Backend.Upload(pixels.Span, x);
        return tape.Value(_vision.ProjectTokens(tape, _vision.Forward(tape, x)));
    }

    /// <summary>Ids up to the end token, then padding up to the context.</summary>
    internal int[] Padded(ReadOnlySpan<int> ids)
    {
        int[] padded = new int[Config.Clip.Text.ContextLength];
        padded.AsSpan().Fill(Config.PadId);
        _text.UpToEnd(ids).CopyTo(padded, 0);
        return padded;
    }

    private static string LayerName(int layer) => $"cross_model.layers.{layer}";

    /// <summary>
    /// The prompt's tokens whose best match among those of the condition, padding included on both sides, is more than the threshold's share of the
    /// largest.
    /// </summary>
    private MpsPrompt Encode(int[] ids)
    {
        if (_conditionTokens.Length == 0)
        {
            _conditionTokens = TextTokens(_condition);
        }

        int width = Config.Clip.EmbedDim, end = _text.UpToEnd(ids).Length - 1;
        float[] tokens = TextTokens(Padded(ids));
        double[] matches = [.. tokens.Chunk(width).Select(token => _conditionTokens.Chunk(width).Max(condition => Product(token, condition)))];
        double most = matches.Max();

        // On a backend that executes nothing all products are zero: there every token is kept, the most there can be.
        float[] kept = [.. tokens.Chunk(width).Where((_, i) => most == 0 || matches[i] / most > Config.MaskThreshold).SelectMany(token => token)];
        if (kept.Length == 0)
        {
            throw new ModelException(
                "MPS: wanted a token of the prompt that matches the condition, found none; the weights or the tokenizer are those of another model"
            );
        }

        double[] feature = new double[width];
        UnitVector.Rows(tokens.AsSpan(end * width, width), width, feature);
        return new MpsPrompt(feature, kept, new Shape(1, kept.Length / width, width));
    }

    private static double Product(float[] a, float[] b)
    {
        double sum = 0;
        for (int i = 0; i < a.Length; i++)
        {
            sum += (double)a[i] * b[i];
        }

        return sum;
    }

    /// <summary>States of the class token behind the cross model, fp32 [B,D].</summary>
    private Tensor Features(Tape tape, ReadOnlyMemory<float> pixels, MpsPrompt[] promptOf)
    {
        int width = Config.Clip.EmbedDim;
        Tensor features = tape.Activations.Allocate(new Shape(promptOf.Length, width));
        Tensor all = tape.Value(tape.InStorage(tape.Constant(PictureTokens(tape, pixels, promptOf.Length))));
        int tokens = all.Shape[1];
        var rotary = new MpsRotary(tape, promptOf.Length, tokens, Config.HeadWidth);
        Var zero = tape.Buffer(new Shape(width));
        tape.Backend.Fill(tape.Value(zero), 0);
        ArenaMark mark = tape.Activations.Mark();
        for (int first = 0, next; first < promptOf.Length; first = next)
        {
            next = first + 1;
            while (next < promptOf.Length && ReferenceEquals(promptOf[next], promptOf[first]))
            {
                next++;
            }

            int count = next - first;
            Tensor text = tape.Activations.Allocate(promptOf[first].Shape);
            tape.Backend.Upload<float>(promptOf[first].Tokens, text);
            Var context = tape.InStorage(tape.Constant(text));
            Tensor x = all.RowRange(first * tokens, count * tokens).Reshape(new Shape(count, tokens, width));
            foreach (MpsCrossLayer layer in _layers)
            {
                layer.Run(tape, tape.Constant(x), context, rotary, zero);
            }

            tape.Backend.Copy(new Tensor(x.Address, new Shape(count, width), x.Type, tokens * width), features.RowRange(first, count));
            tape.Scope(mark);
        }

        return features;
    }
}
