using System.Text.Json;
using CoGrpo.Model.Clip;
using CoGrpo.Model.Meissonic;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Files;

namespace CoGrpo.Model.TextToImage;

/// <summary>The two trainable networks of a text-to-image model: transformer and text encoder, in the published folder layout (specs/meissonic.md 0.1).</summary>
public sealed class TextToImageModel : IDisposable
{
    private const string TransformerConfigFile = "transformer/config.json";
    private const string TransformerWeightsFile = "transformer/diffusion_pytorch_model.safetensors";
    private const string TextConfigFile = "text_encoder/config.json";
    private const string TextWeightsFile = "text_encoder/model.safetensors";

    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true, IndentSize = 1, ReadCommentHandling = JsonCommentHandling.Skip };
    private static readonly Dictionary<string, string> Metadata = new() { ["format"] = "pt" };

    /// <summary>A model with zero weights.</summary>
    /// <exception cref="ModelException">The two configurations do not fit together.</exception>
    public TextToImageModel(TransformerConfig transformer, ClipTextConfig text, IBackend backend)
        : this(transformer, text, backend, null)
    {
    }

    private TextToImageModel(TransformerConfig transformer, ClipTextConfig text, IBackend backend, TextToImageModel? share)
    {
        if (text.HiddenSize != transformer.JointAttentionDim || text.ProjectionDim != transformer.PooledProjectionDim)
        {
            throw new ModelException(
                $"model configuration: wanted a text encoder with hidden_size {transformer.JointAttentionDim} and projection_dim {transformer.PooledProjectionDim}, " +
                $"got {text.HiddenSize} and {text.ProjectionDim}; make joint_attention_dim and pooled_projection_dim of the transformer agree with them");
        }

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

    /// <summary>Reads a model folder.</summary>
    /// <exception cref="ModelException">A file is missing or does not fit.</exception>
    /// <exception cref="SafetensorsException">A weight file is damaged.</exception>
    public static TextToImageModel Load(string folder, IBackend backend)
    {
        (TransformerConfig transformer, ClipTextConfig text) = ReadConfigs(folder);
        var model = new TextToImageModel(transformer, text, backend);
        try
        {
            ParameterFile.Load(Path.Combine(folder, TransformerWeightsFile), model.Transformer.Parameters, backend);
            ParameterFile.Load(Path.Combine(folder, TextWeightsFile), model.TextEncoder.Parameters, backend, "text_model.embeddings.position_ids");
            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>The architectures of a model folder, without its weights.</summary>
    /// <exception cref="ModelException">A file is missing or does not fit.</exception>
    public static (TransformerConfig Transformer, ClipTextConfig Text) ReadConfigs(string folder) =>
        (ReadConfig<TransformerConfig>(folder, TransformerConfigFile), ReadConfig<ClipTextConfig>(folder, TextConfigFile));

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

    private static T ReadConfig<T>(string folder, string name)
    {
        string path = Path.Combine(folder, name);
        try
        {
            return JsonSerializer.Deserialize<T>(File.ReadAllText(path), Json)
                ?? throw new ModelException($"{path}: wanted a JSON object, got null; restore the file from the model's source");
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ModelException($"{path}: wanted a model folder with transformer/ and text_encoder/, the file is missing; give the folder that holds both");
        }
        catch (JsonException error)
        {
            throw new ModelException($"{path}: wanted a JSON object of published keys, got an error at line {error.LineNumber + 1}: {error.Message}; restore the file from the model's source");
        }
    }
}
