using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using CoGrpo.Model.Clip;
using CoGrpo.Model.Meissonic;
using CoGrpo.Model.Tokenizers;
using CoGrpo.Model.Vq;

namespace CoGrpo.Model.Conversion;

/// <summary>
/// The small files of the published layout (specs/meissonic.md 0.2), as the original libraries write them: keys in order, indented by two.
/// </summary>
internal static class PublishedText
{
    private const string DiffusersVersion = "0.30.2";

    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly JsonSerializerOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The object's text.</summary>
    public static string Of(JsonObject json) => json.ToJsonString(Json) + "\n";

    /// <summary><c>model_index.json</c>.</summary>
    public static JsonObject ModelIndex() => new()
    {
        ["_class_name"] = "Pipeline",
        ["_diffusers_version"] = DiffusersVersion,
        ["scheduler"] = new JsonArray("scheduler", "Scheduler"),
        ["text_encoder"] = new JsonArray("transformers", "CLIPTextModelWithProjection"),
        ["tokenizer"] = new JsonArray("transformers", "CLIPTokenizer"),
        ["transformer"] = new JsonArray("transformer", "Transformer2DModel"),
        ["vqvae"] = new JsonArray("diffusers", "VQModel"),
    };

    /// <summary><c>transformer/config.json</c>.</summary>
    public static JsonObject Transformer(TransformerConfig config) => Merged(config, new JsonObject
    {
        ["_class_name"] = "Transformer2DModel",
        ["_diffusers_version"] = DiffusersVersion,
        ["guidance_embeds"] = false,
        ["in_channels"] = 64,
        ["patch_size"] = 1,
    });

    /// <summary><c>vqvae/config.json</c>.</summary>
    public static JsonObject Pictures(VqConfig config) => Merged(config, new JsonObject
    {
        ["_class_name"] = "VQModel",
        ["_diffusers_version"] = DiffusersVersion,
        ["force_upcast"] = true,
        ["lookup_from_codebook"] = true,
        ["sample_size"] = 32,
        ["scaling_factor"] = 0.18215,
    });

    /// <summary><c>text_encoder/config.json</c>.</summary>
    public static JsonObject Text(ClipTextConfig config)
    {
        JsonObject text = Merged(config, new JsonObject
        {
            ["architectures"] = new JsonArray("CLIPTextModelWithProjection"),
            ["attention_dropout"] = 0.0,
            ["bos_token_id"] = 0,
            ["dropout"] = 0.0,
            ["initializer_factor"] = 1.0,
            ["initializer_range"] = 0.02,
            ["model_type"] = "clip_text_model",
            ["pad_token_id"] = 1,
            ["torch_dtype"] = "float32",
            ["transformers_version"] = "4.44.2",
        });
        text["layer_norm_eps"] = (double)(decimal)config.LayerNormEps;
        return text;
    }

    /// <summary><c>scheduler/scheduler_config.json</c>.</summary>
    public static JsonObject Scheduler(TransformerConfig config) => new()
    {
        ["_class_name"] = "Scheduler",
        ["_diffusers_version"] = DiffusersVersion,
        ["mask_token_id"] = config.MaskToken,
        ["masking_schedule"] = "cosine",
    };

    /// <summary><c>tokenizer/special_tokens_map.json</c>.</summary>
    public static JsonObject SpecialTokens() => new()
    {
        ["bos_token"] = Token(ClipTokenizer.Start, normalized: true),
        ["eos_token"] = Token(ClipTokenizer.End, normalized: true),
        ["pad_token"] = "!",
        ["unk_token"] = Token(ClipTokenizer.End, normalized: true),
    };

    /// <summary><c>tokenizer/tokenizer_config.json</c>.</summary>
    public static JsonObject Tokenizer(BytePairVocabulary vocabulary) => new()
    {
        ["add_prefix_space"] = false,
        ["added_tokens_decoder"] = new JsonObject
        {
            ["0"] = Added("!", normalized: false),
            [$"{vocabulary.StartId}"] = Added(ClipTokenizer.Start, normalized: true),
            [$"{vocabulary.EndId}"] = Added(ClipTokenizer.End, normalized: true),
        },
        ["bos_token"] = ClipTokenizer.Start,
        ["clean_up_tokenization_spaces"] = true,
        ["do_lower_case"] = true,
        ["eos_token"] = ClipTokenizer.End,
        ["errors"] = "replace",
        ["model_max_length"] = 77,
        ["pad_token"] = "!",
        ["tokenizer_class"] = "CLIPTokenizer",
        ["unk_token"] = ClipTokenizer.End,
    };

    /// <summary><c>tokenizer/vocab.json</c>.</summary>
    public static string Vocabulary(BytePairVocabulary vocabulary)
    {
        var json = new JsonObject();
        int id = 0;
        foreach (string symbol in vocabulary.Symbols)
        {
            json.Add(symbol, id++);
        }

        return json.ToJsonString(Compact);
    }

    private static JsonObject Token(string content, bool normalized) => new()
    {
        ["content"] = content,
        ["lstrip"] = false,
        ["normalized"] = normalized,
        ["rstrip"] = false,
        ["single_word"] = false,
    };

    private static JsonObject Added(string content, bool normalized)
    {
        JsonObject token = Token(content, normalized);
        token.Add("special", true);
        return token;
    }

    /// <summary>The record's keys and the others in one object, in ordinal order.</summary>
    private static JsonObject Merged<T>(T config, JsonObject others)
    {
        JsonObject own = JsonSerializer.SerializeToNode(config)!.AsObject();
        var merged = new JsonObject();
        foreach ((string key, JsonNode? value) in own.Concat(others).OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            merged.Add(key, value?.DeepClone());
        }

        return merged;
    }
}
