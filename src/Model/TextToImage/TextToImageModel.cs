using System.Text.Json;
using CoGrpo.Model.Clip;
using CoGrpo.Model.Conversion;
using CoGrpo.Model.Meissonic;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Files;

namespace CoGrpo.Model.TextToImage;

/// <summary>
/// The two trainable networks of a text-to-image model: transformer and text encoder, in the published folder layout (specs/meissonic.md 0.1).
/// </summary>
public sealed class TextToImageModel : IDisposable
{
    private const string Folder = "a model folder with transformer/ and text_encoder/";
    private const string TransformerConfigFile = "transformer/config.json";
    private const string TransformerWeightsFile = "transformer/diffusion_pytorch_model.safetensors";
    private const string TextConfigFile = "text_encoder/config.json";
    private const string TextWeightsFile = "text_encoder/model.safetensors";

    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true, IndentSize = 1 };
    private static readonly Dictionary<string, string> Metadata = new() { ["format"] = "pt" };

    /// <summary>A model with zero weights.</summary>
    /// <exception cref="ModelException">The two configurations do not fit together.</exception>
    public TextToImageModel(TransformerConfig transformer, ClipTextConfig text, IBackend backend)
        : this(transformer, text, backend, null)
    {
    }

    private TextToImageModel(TransformerConfig transformer, ClipTextConfig text, IBackend backend, TextToImageModel? share)
    {
        FolderParts.Check(transformer, null, text, null);
        Backend = backend;
        Transformer = new MeissonicTransformer(transformer, backend, share?.Transformer.Parameters);
        TextEncoder = new ClipTextEncoder(text, backend, share?.TextEncoder.Parameters);
    }

    /// <summary>Where the networks live.</summary>
    public IBackend Backend { get; }

    /// <summary>The masked image transformer.</summary>
    public MeissonicTransformer Transformer { get; }

    /// <summary>The text encoder.</summary>
    public ClipTextEncoder TextEncoder { get; }

    /// <summary>
    /// A model on <paramref name="backend"/>, in the same address space, that uses the weights of this one and has gradients and work memory of
    /// its own, so that both can run at once. This model must outlive it. Adapters are shared alike, or left out without <paramref name="adapters"/>.
    /// </summary>
    public TextToImageModel Replica(IBackend backend, bool adapters = true)
    {
        var replica = new TextToImageModel(Transformer.Config, TextEncoder.Config, backend, this);
        if (adapters && Transformer.Lora is { } lora)
        {
            replica.Transformer.AddLora(lora.Shapes, lora);
        }

        return replica;
    }

    /// <summary>The architecture of the two networks of a model folder; no weight is read.</summary>
    /// <exception cref="ModelException">A file is missing or malformed.</exception>
    public static (TransformerConfig Transformer, ClipTextConfig Text) ReadArchitecture(string folder) =>
        (
            ConfigFile.Read<TransformerConfig>(Path.Combine(folder, TransformerConfigFile), Folder),
            ConfigFile.Read<ClipTextConfig>(Path.Combine(folder, TextConfigFile), Folder)
        );

    /// <summary>Reads a model folder: weights in one file or several, in any floating-point type (<see cref="NetworkFolder"/>).</summary>
    /// <exception cref="ModelException">A file is missing or does not fit.</exception>
    /// <exception cref="WeightsFileException">A weight file is damaged.</exception>
    public static TextToImageModel Load(string folder, IBackend backend)
    {
        (TransformerConfig transformer, ClipTextConfig text) = ReadArchitecture(folder);
        var model = new TextToImageModel(transformer, text, backend);
        try
        {
            NetworkFolder.Transformer.Load(Path.Combine(folder, NetworkFolder.Transformer.Name), model.Transformer.Parameters, backend);
            NetworkFolder.TextEncoder.Load(Path.Combine(folder, NetworkFolder.TextEncoder.Name), model.TextEncoder.Parameters, backend);
            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>Writes the model folder; each file is replaced in one step.</summary>
    public void Save(string folder)
    {
        Directory.CreateDirectory(Path.Combine(folder, "transformer"));
        Directory.CreateDirectory(Path.Combine(folder, "text_encoder"));
        AtomicFile.WriteAllText(Path.Combine(folder, TransformerConfigFile), JsonSerializer.Serialize(Transformer.Config, Json));
        AtomicFile.WriteAllText(Path.Combine(folder, TextConfigFile), JsonSerializer.Serialize(TextEncoder.Config, Json));
        ParameterStore transformer = Transformer.Parameters;
        ParameterFile.Save(Path.Combine(folder, TransformerWeightsFile), transformer, transformer.Values, Backend, Metadata);
        ParameterStore text = TextEncoder.Parameters;
        ParameterFile.Save(Path.Combine(folder, TextWeightsFile), text, text.Values, Backend, Metadata);
    }

    /// <summary>Copies all weights of a model of the same architecture.</summary>
    public void CopyFrom(TextToImageModel source)
    {
        Transformer.Parameters.CopyValues(source.Transformer.Parameters.Values);
        TextEncoder.Parameters.CopyValues(source.TextEncoder.Parameters.Values);
    }

    /// <summary>Frees both networks.</summary>
    public void Dispose()
    {
        Transformer.Dispose();
        TextEncoder.Dispose();
    }
}
