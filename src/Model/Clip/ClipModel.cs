using System.Runtime.InteropServices;
using CoGrpo.Model.Rewards;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Files;

namespace CoGrpo.Model.Clip;

/// <summary>
/// CLIP in open_clip's form and names, forward only (specs/reward-models.md 2): both towers and the logit scale. HPS v2.0 and v2.1 are ViT-H-14 with
/// other weights. Features are normalised in fp64 to length 1; those of a prompt are kept, so that every distinct prompt is encoded once. A result
/// has the same bits in any batch. Driven by the thread that drives its backend.
/// </summary>
public sealed class ClipModel : IDisposable
{
    // A prompt's features take 8 KiB at the published width.
    private const int MostPromptsKept = 4096;

    private readonly Parameter _logitScale;
    private readonly InferencePass _pass;
    private readonly Dictionary<string, double[]> _prompts = new(StringComparer.Ordinal);

    /// <summary>
    /// A model with zero weights; load <see cref="Parameters"/> before use. With <paramref name="share"/> a replica that uses those weights and has
    /// work memory of its own.
    /// </summary>
    /// <param name="config">The architecture.</param>
    /// <param name="backend">Where the model lives.</param>
    /// <param name="storage">Element type of weights and activations; scores differ by little within a group of pictures, so fp32 unless told
    /// otherwise.</param>
    /// <param name="share">Weights of a model of the same architecture and storage.</param>
    /// <exception cref="ModelException">The configuration does not fit together.</exception>
    public ClipModel(ClipModelConfig config, IBackend backend, ElementType storage = ElementType.Float32, ParameterStore? share = null)
    {
        ArgumentNullException.ThrowIfNull(config);
        Config = config.Validated();
        Backend = backend;
        Parameters = new ParameterStore(backend, storage, "reward model");
        _logitScale = Parameters.Declare("logit_scale", new Shape(1));
        Text = new ClipTextTower(Parameters, "", config);
        Vision = new ClipVisionEncoder(Parameters, "", config);
        Parameters.Seal(share);
        _pass = new InferencePass(backend, "rewards", storage);
    }

    /// <summary>Where the model lives.</summary>
    public IBackend Backend { get; }

    /// <summary>The architecture.</summary>
    public ClipModelConfig Config { get; }

    /// <summary>The weights, owned by this model.</summary>
    public ParameterStore Parameters { get; }

    /// <summary>The picture tower.</summary>
    public ClipVisionEncoder Vision { get; }

    /// <summary>The text tower.</summary>
    public ClipTextTower Text { get; }

    /// <summary>Most pictures of a pass; work memory grows with it, bits do not change.</summary>
    public int BatchSize { get; init; } = 32;

    /// <summary>What cosines are multiplied by to be logits, e to the stored logarithm. Scores of pictures do not use it.</summary>
    public double LogitScale
    {
        get
        {
            float[] stored = new float[1];
            Backend.Download<float>(_logitScale.Value, stored);
            return Math.Exp(stored[0]);
        }
    }

    /// <summary>Bytes of work memory held: enough for the largest pass since <see cref="ReleaseMemory"/>.</summary>
    public long WorkBytes => _pass.ReservedBytes;

    /// <summary>Distinct prompts whose features are kept.</summary>
    public int PromptsKept => _prompts.Count;

    /// <summary>
    /// Of the architecture that reading <paramref name="path"/> would find, with zero weights; ViT-H-14 where there is nothing. For plans.
    /// </summary>
    /// <exception cref="ModelException">The configuration there is malformed.</exception>
    public static ClipModel Planned(string? path, IBackend backend) => new(RewardSource.Planned("CLIP", path).ClipArchitecture(), backend);

    /// <summary>
    /// Reads the model at <paramref name="path"/>, a file of a ViT-H-14 or a folder with one file of weights and a configuration;
    /// <paramref name="network"/> is what messages call it.
    /// </summary>
    /// <exception cref="ModelException">There is no such file, or the weights are not those of the architecture.</exception>
    /// <exception cref="WeightsFileException">The file is damaged.</exception>
    internal static ClipModel Load(string network, string path, IBackend backend, ElementType storage = ElementType.Float32)
    {
        RewardSource source = RewardSource.Of(network, path);
        return Load(source.Weights, source.ClipArchitecture(), backend, storage);
    }

    /// <summary>Reads a model from a file of weights with open_clip names.</summary>
    /// <exception cref="ModelException">The weights are not those of the architecture; every tensor that is missing is named.</exception>
    /// <exception cref="WeightsFileException">The file is damaged.</exception>
    public static ClipModel Load(string path, ClipModelConfig config, IBackend backend, ElementType storage = ElementType.Float32)
    {
        var model = new ClipModel(config, backend, storage);
        try
        {
            using ITensorSource source = RewardWeights.Open(path);
            ParameterFile.Load(source, path, model.Parameters, backend, _ => false);
            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>Features of pictures.</summary>
    /// <param name="pixels">fp32 [B,3,S,S], normalised as the weights want it.</param>
    /// <param name="features">[B,D], of length 1 each.</param>
    /// <exception cref="ModelException">The lengths do not fit.</exception>
    public void EncodePictures(ReadOnlyMemory<float> pixels, Span<double> features)
    {
        int side = Config.Vision.ImageSize, perPicture = 3 * side * side;
        int pictures = pixels.Length / perPicture;
        if (pixels.Length % perPicture != 0 || features.Length != pictures * Config.EmbedDim)
        {
            throw new ModelException($"CLIP pictures: wanted pixels of whole pictures of 3 x {side} x {side} and {Config.EmbedDim} features for each, got {pixels.Length} and {features.Length}");
        }

        for (int first = 0; first < pictures; first += BatchSize)
        {
            int count = Math.Min(BatchSize, pictures - first);
            ReadOnlyMemory<float> part = pixels.Slice(first * perPicture, count * perPicture);
            Normalised(_pass.Run(tape =>
            {
                Tensor x = tape.Activations.Allocate(new Shape(count, 3, side, side));
                tape.Backend.Upload(part.Span, x);
                return tape.Value(Vision.Embed(tape, Vision.Forward(tape, x)));
            }), features.Slice(first * Config.EmbedDim, count * Config.EmbedDim));
        }
    }

    /// <summary>Features of a prompt, [D] of length 1; kept until some thousand others have come.</summary>
    /// <param name="ids">Start token, pieces, end token; what follows the end does not matter.</param>
    /// <exception cref="ModelException">There are too few or too many ids or one is outside the vocabulary.</exception>
    public IReadOnlyList<double> EncodePrompt(ReadOnlySpan<int> ids) => Prompt(ids);

    /// <summary>Cosine between each picture and its prompt.</summary>
    /// <param name="pixels">fp32 [B,3,S,S], normalised as the weights want it.</param>
    /// <param name="prompts">Ids of each prompt.</param>
    /// <param name="promptOf">For each picture its place among the prompts.</param>
    /// <param name="cosines">[B].</param>
    /// <exception cref="ModelException">The lengths do not fit or a prompt cannot be encoded.</exception>
    public void Cosines(ReadOnlyMemory<float> pixels, IReadOnlyList<int[]> prompts, ReadOnlySpan<int> promptOf, Span<double> cosines)
    {
        ArgumentNullException.ThrowIfNull(prompts);
        int width = Config.EmbedDim;
        double[] pictures = new double[promptOf.Length * width];
        double[]?[] texts = new double[prompts.Count][];
        for (int i = 0; i < promptOf.Length; i++)
        {
            texts[promptOf[i]] ??= Prompt(prompts[promptOf[i]]);
        }

        EncodePictures(pixels, pictures);
        for (int i = 0; i < promptOf.Length; i++)
        {
            cosines[i] = UnitVector.Dot(pictures.AsSpan(i * width, width), texts[promptOf[i]]);
        }
    }

    /// <summary>Forgets prompts and gives the work memory back; the next pass takes it again.</summary>
    public void ReleaseMemory()
    {
        _prompts.Clear();
        _pass.Release();
    }

    /// <summary>Frees weights and work memory.</summary>
    public void Dispose()
    {
        _pass.Dispose();
        Parameters.Dispose();
    }

    private double[] Prompt(ReadOnlySpan<int> ids)
    {
        int[] used = Text.UpToEnd(ids);
        string key = new(MemoryMarshal.Cast<int, char>(used));
        if (_prompts.TryGetValue(key, out double[]? features))
        {
            return features;
        }

        features = new double[Config.EmbedDim];
        Normalised(_pass.Run(tape =>
        {
            Tensor row = tape.Activations.Allocate(new Shape(1), ElementType.Int32);
            Tensor tokens = tape.Activations.Allocate(new Shape(1, used.Length), ElementType.Int32);
            tape.Backend.Upload<int>(used, tokens);
            tape.Backend.Upload<int>([used.Length - 1], row);
            return tape.Value(Text.Embed(tape, Text.Forward(tape, tokens), row));
        }), features);
        if (_prompts.Count == MostPromptsKept)
        {
            _prompts.Clear();
        }

        _prompts.Add(key, features);
        return features;
    }

    private void Normalised(Tensor embeddings, Span<double> features)
    {
        float[] values = new float[embeddings.Shape.Count];
        Backend.Download<float>(embeddings, values);
        UnitVector.Rows(values, embeddings.Columns, features);
    }
}
