using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Files;

namespace CoGrpo.Model.Rewards;

/// <summary>
/// ImageReward v1.0 (specs/reward-models.md 1), forward only, with the published names: BLIP's picture encoder, its text encoder with cross attention
/// to the picture, and a head on the state of the first token. Scores are about standard normal.
/// </summary>
public sealed class ImageRewardModel : IRewardModel
{
    private const string PositionIds = "blip.text_encoder.embeddings.position_ids";

    private readonly ImageRewardHead _head;
    private readonly InferencePass _pass;

    /// <summary>
    /// A model with zero weights; load <see cref="Parameters"/> before use. With <paramref name="share"/> a replica that uses those weights and has
    /// work memory of its own.
    /// </summary>
    /// <param name="config">The architecture.</param>
    /// <param name="backend">Where the model lives.</param>
    /// <param name="storage">Element type of weights and activations; the original computes in fp32.</param>
    /// <param name="share">Weights of a model of the same architecture and storage.</param>
    /// <exception cref="ModelException">The configuration does not fit together.</exception>
    public ImageRewardModel(ImageRewardConfig config, IBackend backend, ElementType storage = ElementType.Float32, ParameterStore? share = null)
    {
        ArgumentNullException.ThrowIfNull(config);
        Config = config.Validated();
        Backend = backend;
        Parameters = new ParameterStore(backend, storage, "reward model");
        Vision = new BlipVisionEncoder(Parameters, "blip.visual_encoder", config.Vision);
        Text = new MedTextEncoder(Parameters, "blip.text_encoder", config.Med, config.Vision.EmbedDim);
        _head = new ImageRewardHead(Parameters, config.Head);
        Parameters.Seal(share);
        _pass = new InferencePass(backend, "rewards", storage);
    }

    /// <summary>Where the model lives.</summary>
    public IBackend Backend { get; }

    /// <summary>The architecture.</summary>
    public ImageRewardConfig Config { get; }

    /// <summary>The weights, owned by this model. The head's are folded at the first score.</summary>
    public ParameterStore Parameters { get; }

    /// <summary>Most pictures of a pass; work memory grows with it, bits do not change.</summary>
    public int BatchSize { get; init; } = 32;

    /// <inheritdoc/>
    public long ParameterCount => Parameters.ParameterCount;

    /// <inheritdoc/>
    public int ImageSize => Config.Vision.ImageSize;

    /// <summary>Bytes of work memory held: enough for the largest pass since <see cref="ReleaseMemory"/>.</summary>
    public long WorkBytes => _pass.ReservedBytes;

    /// <summary>The picture encoder.</summary>
    internal BlipVisionEncoder Vision { get; }

    /// <summary>The text encoder.</summary>
    internal MedTextEncoder Text { get; }

    /// <summary>
    /// Reads the network at <paramref name="path"/>: the published file, or a folder with one file of weights and a configuration of another size.
    /// </summary>
    /// <exception cref="ModelException">As for the other form, or there is no such file.</exception>
    /// <exception cref="WeightsFileException">The file is damaged.</exception>
    public static ImageRewardModel Load(string path, IBackend backend)
    {
        RewardSource source = RewardSource.Of("ImageReward", path);
        return Load(source.Weights, source.Architecture(new ImageRewardConfig()), backend);
    }

    /// <summary>
    /// Of the architecture that <see cref="Load(string, IBackend)"/> would find at <paramref name="path"/>, with zero weights; the published one
    /// where there is nothing. For plans.
    /// </summary>
    /// <exception cref="ModelException">The configuration there is malformed.</exception>
    public static ImageRewardModel Planned(string? path, IBackend backend) =>
        new(RewardSource.Planned("ImageReward", path).Architecture(new ImageRewardConfig()), backend);

    /// <summary>Reads a file of weights with the published names; the projections and the buffer that scores do not use may be in it.</summary>
    /// <exception cref="ModelException">The weights are not those of the architecture; every tensor that is missing is named.</exception>
    /// <exception cref="WeightsFileException">The file is damaged.</exception>
    public static ImageRewardModel Load(string path, ImageRewardConfig config, IBackend backend, ElementType storage = ElementType.Float32)
    {
        var model = new ImageRewardModel(config, backend, storage);
        try
        {
            using ITensorSource source = RewardWeights.Open(path);
            HashSet<string> unused = [PositionIds, .. config.Unused.Select(tensor => tensor.Name)];
            ParameterFile.Load(source, path, model.Parameters, backend, unused.Contains);
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
        RewardInput.Check("ImageReward", ImageSize, pixels, prompts, promptOf, scores);
        foreach (int prompt in promptOf)
        {
            Text.Check(prompts[prompt]);
        }

        int perPicture = 3 * ImageSize * ImageSize, width = Config.Med.HiddenSize;
        float[] features = new float[Math.Min(BatchSize, promptOf.Length) * width];
        for (int first = 0; first < promptOf.Length; first += BatchSize)
        {
            int count = Math.Min(BatchSize, promptOf.Length - first);
            ReadOnlyMemory<float> part = pixels.Slice(first * perPicture, count * perPicture);
            int[] of = [.. promptOf.Slice(first, count)];
            Backend.Download(_pass.Run(tape => Features(tape, part, prompts, of)), features.AsSpan(0, count * width));
            for (int i = 0; i < count; i++)
            {
                scores[first + i] = (Raw(features.AsSpan(i * width, width)) - Config.RewardMean) / Config.RewardStd;
            }
        }
    }

    /// <summary>Gives the work memory back; the next pass takes it again.</summary>
    public void ReleaseMemory() => _pass.Release();

    /// <summary>Frees weights and work memory.</summary>
    public void Dispose()
    {
        _pass.Dispose();
        Parameters.Dispose();
    }

    /// <summary>What the head makes of a feature, before mean and deviation.</summary>
    internal double Raw(ReadOnlySpan<float> feature) => _head.Apply(Backend, feature);

    /// <summary>States of the first token, fp32 [B,C].</summary>
    private Tensor Features(Tape tape, ReadOnlyMemory<float> pixels, IReadOnlyList<int[]> prompts, int[] promptOf)
    {
        int width = Config.Med.HiddenSize;
        Tensor features = tape.Activations.Allocate(new Shape(promptOf.Length, width));
        Tensor x = tape.Activations.Allocate(new Shape(promptOf.Length, 3, ImageSize, ImageSize));
        tape.Backend.Upload(pixels.Span, x);
        Tensor pictures = tape.Value(Vision.Forward(tape, x));
        ArenaMark mark = tape.Activations.Mark();
        for (int first = 0, next; first < promptOf.Length; first = next)
        {
            next = first + 1;
            while (next < promptOf.Length && promptOf[next] == promptOf[first])
            {
                next++;
            }

            int[] ids = prompts[promptOf[first]];
            int tokens = pictures.Shape[1];
            Tensor some = pictures.RowRange(first * tokens, (next - first) * tokens).Reshape(new Shape(next - first, tokens, pictures.Columns));
            Tensor states = tape.Value(Text.Forward(tape, ids, tape.Constant(some)));

            // A row of the result is that of a first token: the states of a picture stand as many rows apart as its prompt has tokens.
            tape.Backend.Copy(
                new Tensor(states.Address, new Shape(next - first, width), states.Type, ids.Length * width),
                features.RowRange(first, next - first)
            );
            tape.Scope(mark);
        }

        return features;
    }
}
