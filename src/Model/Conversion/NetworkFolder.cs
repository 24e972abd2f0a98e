using CoGrpo.Model.Clip;
using CoGrpo.Model.Meissonic;
using CoGrpo.Model.Vq;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends.Plan;
using CoGrpo.Runtime.Files;

namespace CoGrpo.Model.Conversion;

/// <summary>One network's folder in the published layout: what it is called, what its weight file is called, and which tensors its configuration asks for.</summary>
public sealed class NetworkFolder
{
    /// <summary>Name of the configuration in every network's folder.</summary>
    public const string ConfigName = "config.json";

    private readonly Func<string, IReadOnlyList<SafetensorsTensor>> _tensors;

    private NetworkFolder(string name, string stem, Func<string, IReadOnlyList<SafetensorsTensor>> tensors) => (Name, Stem, _tensors) = (name, stem, tensors);

    /// <summary><c>transformer/</c>.</summary>
    public static NetworkFolder Transformer { get; } = new("transformer", "diffusion_pytorch_model", path => TensorsOf(ConfigFile.Read<TransformerConfig>(path, "a transformer's configuration")));

    /// <summary><c>vqvae/</c>.</summary>
    public static NetworkFolder PictureModel { get; } = new("vqvae", "diffusion_pytorch_model", path => TensorsOf(ConfigFile.Read<VqConfig>(path, "a picture model's configuration")));

    /// <summary><c>text_encoder/</c>.</summary>
    public static NetworkFolder TextEncoder { get; } = new("text_encoder", "model", path => TensorsOf(ConfigFile.Read<ClipTextConfig>(path, "a text encoder's configuration")));

    /// <summary>The three, in the order in which they are converted.</summary>
    public static IReadOnlyList<NetworkFolder> All { get; } = [Transformer, PictureModel, TextEncoder];

    /// <summary>Name of the folder.</summary>
    public string Name { get; }

    /// <summary>Name of the weight file up to its first dot.</summary>
    public string Stem { get; }

    /// <summary>The tensors that the configuration at <paramref name="configPath"/> asks for, as F32, in order of declaration.</summary>
    /// <exception cref="ModelException">The configuration is missing or describes no network.</exception>
    public IReadOnlyList<SafetensorsTensor> ExpectedTensors(string configPath)
    {
        try
        {
            return _tensors(configPath);
        }
        catch (OverflowException)
        {
            throw new ModelException($"{configPath}: wanted sizes of a network with fewer than 2^31 parameters, got more; restore the file from the model's source");
        }
    }

    /// <summary>The tensors of a transformer, as F32.</summary>
    internal static IReadOnlyList<SafetensorsTensor> TensorsOf(TransformerConfig config)
    {
        using var network = new MeissonicTransformer(config, new PlanBackend());
        return TensorsOf(network.Parameters);
    }

    /// <summary>The tensors of a picture model, as F32.</summary>
    internal static IReadOnlyList<SafetensorsTensor> TensorsOf(VqConfig config)
    {
        using var network = new VqModel(config, new PlanBackend());
        return TensorsOf(network.Parameters);
    }

    /// <summary>The tensors of a text encoder, as F32.</summary>
    internal static IReadOnlyList<SafetensorsTensor> TensorsOf(ClipTextConfig config)
    {
        using var network = new ClipTextEncoder(config, new PlanBackend());
        return TensorsOf(network.Parameters);
    }

    private static List<SafetensorsTensor> TensorsOf(ParameterStore store) =>
        [.. store.Parameters.Select(parameter => new SafetensorsTensor(parameter.Name, SafetensorsType.F32, ParameterFile.Dimensions(parameter.Shape)))];
}
