using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using CoGrpo.Model.Clip;
using CoGrpo.Model.Meissonic;
using CoGrpo.Model.Vq;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Backends.Plan;
using CoGrpo.Runtime.Files;

namespace CoGrpo.Model.Conversion;

/// <summary>One network's folder in the published layout: what it is called, what its weight file is called, and which tensors its configuration asks
/// for.</summary>
public sealed class NetworkFolder
{
    /// <summary>Name of the configuration in every network's folder.</summary>
    public const string ConfigName = "config.json";

    private readonly string[] _stems;
    private readonly Func<string, IReadOnlyList<SafetensorsTensor>> _tensors;
    private readonly Func<string, JsonObject> _published;
    private readonly Func<string, bool> _ignores;

    private NetworkFolder(
        string name,
        string[] stems,
        Func<string, IReadOnlyList<SafetensorsTensor>> tensors,
        Func<string, JsonObject> published,
        Func<string, bool> ignores
    ) => (Name, _stems, _tensors, _published, _ignores) = (name, stems, tensors, published, ignores);

    /// <summary><c>transformer/</c>.</summary>
    public static NetworkFolder Transformer { get; } =
        Create<TransformerConfig>("transformer", ["diffusion_pytorch_model"], TensorsOf, PublishedText.Transformer, _ => false);

    /// <summary><c>vqvae/</c>.</summary>
    public static NetworkFolder PictureModel { get; } =
        Create<VqConfig>("vqvae", ["diffusion_pytorch_model"], TensorsOf, PublishedText.Pictures, _ => false);

    /// <summary><c>text_encoder/</c>.</summary>
    public static NetworkFolder TextEncoder { get; } =
        Create<ClipTextConfig>(
            "text_encoder",
            ["model", "pytorch_model", "open_clip_model", "open_clip_pytorch_model"],
            TensorsOf,
            PublishedText.Text,
            BelongsToPictureTower
        );

    /// <summary>The three, in the order in which they are converted.</summary>
    public static IReadOnlyList<NetworkFolder> All { get; } = [Transformer, PictureModel, TextEncoder];

    /// <summary>Name of the folder.</summary>
    public string Name { get; }

    /// <summary>Name of the weight file up to its first dot.</summary>
    public string Stem => _stems[0];

    /// <summary>The tensors that the configuration at <paramref name="configPath"/> asks for, as F32, in order of declaration.</summary>
    /// <exception cref="ModelException">The configuration is missing or describes no network.</exception>
    public IReadOnlyList<SafetensorsTensor> ExpectedTensors(string configPath)
    {
        try
        {
            return _tensors(configPath);
        }
        catch (ModelException error)
        {
            throw error.Message.StartsWith(configPath, StringComparison.Ordinal) ? error : new ModelException($"{configPath}: {error.Message}");
        }
        catch (Exception error) when (error is OverflowException or OutOfMemoryException)
        {
            throw new ModelException(
                $"{configPath}: wanted sizes of a network with fewer than 2^31 parameters, got more; restore the file from the model's source"
            );
        }
    }

    /// <summary>The bytes of a configuration that the original libraries read: those of the file where it comes from them, else with the keys that
    /// they write as well.</summary>
    /// <exception cref="ModelException">The configuration is missing or damaged.</exception>
    public byte[] PublishedConfig(string configPath)
    {
        byte[] bytes = File.ReadAllBytes(configPath);
        using JsonDocument json = JsonDocument.Parse(bytes, new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip });
        return json.RootElement.TryGetProperty("_class_name", out _) || json.RootElement.TryGetProperty("architectures", out _)
            ? bytes
            : Encoding.UTF8.GetBytes(PublishedText.Of(_published(configPath)));
    }

    /// <summary>Whether a tensor of another part, which files of several networks hold, may be there and is left out.</summary>
    public bool Ignores(string tensor) => _ignores(tensor);

    /// <summary>Opens the weights in the folder of this network, under the names that its parameters have.</summary>
    /// <exception cref="WeightsFileException">There are no weights, or a file is damaged.</exception>
    public ITensorSource OpenWeights(string folder, string? variant = null) => Named(WeightsFolder.Open(folder, _stems, variant));

    /// <summary>Opens one weight file or index of this network, whatever it is called, under the names that its parameters have.</summary>
    /// <exception cref="WeightsFileException">The file is missing or damaged.</exception>
    public ITensorSource OpenWeightsFile(string path) => Named(WeightsFolder.OpenFile(path));

    /// <summary>Reads the weights in the folder of this network into <paramref name="store"/>.</summary>
    /// <exception cref="ModelException">They do not fit.</exception>
    /// <exception cref="WeightsFileException">There are none, or a file is damaged.</exception>
    public void Load(string folder, ParameterStore store, IBackend backend)
    {
        using ITensorSource source = OpenWeights(folder);
        ParameterFile.Load(source, folder, store, backend, Ignores);
    }

    /// <summary>The tensors of a transformer, as F32.</summary>
    internal static IReadOnlyList<SafetensorsTensor> TensorsOf(TransformerConfig config)
    {
        using var network = new MeissonicTransformer(config, new PlanBackend());
        return ParameterFile.Tensors(network.Parameters);
    }

    /// <summary>The tensors of a picture model, as F32.</summary>
    internal static IReadOnlyList<SafetensorsTensor> TensorsOf(VqConfig config)
    {
        using var network = new VqModel(config, new PlanBackend());
        return ParameterFile.Tensors(network.Parameters);
    }

    /// <summary>The tensors of a text encoder, as F32.</summary>
    internal static IReadOnlyList<SafetensorsTensor> TensorsOf(ClipTextConfig config)
    {
        using var network = new ClipTextEncoder(config, new PlanBackend());
        return ParameterFile.Tensors(network.Parameters);
    }

    private static NetworkFolder Create<T>(
        string name,
        string[] stems,
        Func<T, IReadOnlyList<SafetensorsTensor>> tensors,
        Func<T, JsonObject> published,
        Func<string, bool> ignores
    )
        where T : class
    {
        T Config(string path) => ConfigFile.Read<T>(path, $"the configuration of a {name} folder");
        return new(name, stems, path => tensors(Config(path)), path => published(Config(path)), ignores);
    }

    private static bool BelongsToPictureTower(string tensor) => tensor is "text_model.embeddings.position_ids" or "logit_scale"
        || tensor.StartsWith("vision_model.", StringComparison.Ordinal) || tensor.StartsWith("visual_projection.", StringComparison.Ordinal);

    private ITensorSource Named(ITensorSource source) =>
        this == TextEncoder && OpenClipTextTower.IsOne(source) ? new OpenClipTextTower(source) : source;
}
