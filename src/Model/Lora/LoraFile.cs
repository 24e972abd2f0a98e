using System.Text.Json;
using System.Text.Json.Nodes;
using CoGrpo.Model.Meissonic;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Files;

namespace CoGrpo.Model.Lora;

/// <summary>
/// Adapters in the form that diffusers and peft share: <c>pytorch_lora_weights.safetensors</c> and <c>adapter_config.json</c> in one folder.
/// </summary>
public static class LoraFile
{
    /// <summary>Folder of a run's adapters.</summary>
    public const string FolderName = "lora";

    /// <summary>Name of the weights in their folder.</summary>
    public const string WeightsName = "pytorch_lora_weights.safetensors";

    /// <summary>Name of peft's description beside them.</summary>
    public const string ConfigName = "adapter_config.json";

    /// <summary>Key of the description in the metadata of the weights, a JSON object whose keys carry the prefix of the tensors.</summary>
    internal const string MetadataKey = "lora_adapter_metadata";

    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true, IndentSize = 2 };

    /// <summary>
    /// Writes both files in fp32; each replaces one of its name in one step. Tensors are called <c>transformer.module.lora_A.weight</c> and so on.
    /// </summary>
    /// <exception cref="IOException">The disk is full or the folder cannot be written.</exception>
    public static void Save(string folder, LoraAdapters adapters, IBackend backend)
    {
        ArgumentNullException.ThrowIfNull(adapters);
        Directory.CreateDirectory(folder);
        JsonObject description = Describe(adapters);
        var prefixed = new JsonObject(description.Select(entry => KeyValuePair.Create(LoraNames.Prefix + entry.Key, entry.Value?.DeepClone())));
        var metadata = new Dictionary<string, string> { ["format"] = "pt", [MetadataKey] = prefixed.ToJsonString(Json) };
        AtomicFile.Write(Path.Combine(folder, WeightsName),
            stream => ParameterFile.Write(stream, [(LoraNames.Prefix, adapters.Parameters, adapters.Parameters.Values)], backend, metadata));
        description["peft_type"] = "LORA";
        description["task_type"] = null;
        description["inference_mode"] = true;
        description["base_model_name_or_path"] = null;
        AtomicFile.WriteAllText(Path.Combine(folder, ConfigName), description.ToJsonString(Json) + "\n");
    }

    /// <summary>
    /// Puts the adapters of a file, or of a folder that holds one, on <paramref name="transformer"/>, their effect weighted by
    /// <paramref name="scale"/>. Reads the names of diffusers and peft (<c>lora_A</c>, <c>lora_B</c>, with or without prefix) and those of kohya
    /// (<c>lora_down</c>, <c>lora_up</c>, <c>alpha</c>). Without any α it is the rank.
    /// </summary>
    /// <exception cref="ModelException">There is no such file, or its tensors do not fit the model: all are listed at once.</exception>
    /// <exception cref="SafetensorsException">The file is damaged.</exception>
    public static LoraAdapters Load(string path, MeissonicTransformer transformer, IBackend backend, double scale = 1)
    {
        ArgumentNullException.ThrowIfNull(transformer);
        string weights = Find(path);
        using SafetensorsFile file = SafetensorsFile.Open(weights);
        IReadOnlyList<LoraTensors> found = LoraTensors.Sort(weights, file, transformer.LoraSlots);
        var description = LoraDescription.Of(weights, file, Path.Combine(Path.GetDirectoryName(Path.GetFullPath(weights))!, ConfigName));
        LoraShape[] shapes = [.. found.Select(t => new LoraShape(t.Slot.Module, t.Rank, scale * description.Alpha(t)))];
        LoraAdapters adapters = transformer.AddLora(shapes);
        foreach (LoraTensors tensors in found)
        {
            backend.Upload<float>(Finite(weights, file, tensors.Down), tensors.Slot.Adapter!.A.Value);
            backend.Upload<float>(Finite(weights, file, tensors.Up), tensors.Slot.Adapter!.B.Value);
        }

        adapters.Parameters.RenewComputeCopy();
        return adapters;
    }

    private static float[] Finite(string path, SafetensorsFile file, string name)
    {
        float[] values = file.ReadFloat32(name);
        return Array.TrueForAll(values, float.IsFinite)
            ? values
            : throw new ModelException(
                $"{path}: {name}: wanted finite numbers, got infinite or undefined ones; the training that made the file has failed"
            );
    }

    /// <summary>The file itself, or that of a folder under its usual names.</summary>
    private static string Find(string path)
    {
        if (File.Exists(path))
        {
            return path;
        }

        string[] names = [WeightsName, "adapter_model.safetensors"];
        return names.Select(name => Path.Combine(path, name)).FirstOrDefault(File.Exists)
            ?? throw new ModelException(
                $"{path}: wanted a safetensors file of adapters or a folder with {string.Join(" or ", names)}, found neither; check the path"
            );
    }

    private static JsonObject Describe(LoraAdapters adapters)
    {
        IReadOnlyList<LoraShape> shapes = adapters.Shapes;
        int rank = shapes[0].Rank;
        double alpha = shapes[0].Alpha;
        var targets = new JsonArray();
        foreach (string target in Targets(adapters))
        {
            targets.Add((JsonNode)target);
        }

        return new JsonObject
        {
            ["r"] = rank,
            ["lora_alpha"] = alpha == Math.Floor(alpha) ? (long)alpha : alpha,
            ["target_modules"] = targets,
            ["rank_pattern"] = new JsonObject(shapes.Where(s => s.Rank != rank).Select(s => KeyValuePair.Create(s.Module, (JsonNode?)s.Rank))),
            ["alpha_pattern"] = new JsonObject(shapes.Where(s => s.Alpha != alpha).Select(s => KeyValuePair.Create(s.Module, (JsonNode?)s.Alpha))),
            ["lora_dropout"] = 0.0,
            ["bias"] = "none",
            ["fan_in_fan_out"] = false,
            ["init_lora_weights"] = true,
            ["use_rslora"] = false,
            ["use_dora"] = false,
        };
    }

    /// <summary>Endings as peft matches them where every projection of an ending has an adapter, else whole names.</summary>
    private static IEnumerable<string> Targets(LoraAdapters adapters)
    {
        HashSet<string> adapted = [.. adapters.Shapes.Select(s => s.Module)];
        string Target(string module)
        {
            string? ending = LoraTargets.Known.FirstOrDefault(e => LoraTargets.Matches(module, e));
            bool all = ending is not null && adapters.Slots.Where(s => LoraTargets.Matches(s.Module, ending)).All(s => adapted.Contains(s.Module));
            return all ? ending! : module;
        }

        return adapters.Shapes.Select(s => Target(s.Module)).Distinct();
    }
}
