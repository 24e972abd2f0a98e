using System.Text.Json;
using CoGrpo.Runtime.Files;

namespace CoGrpo.Model.Lora;

/// <summary>
/// What peft's description of adapters says about α: from the metadata of the weights, else from the file beside them, else nothing.
/// </summary>
internal sealed class LoraDescription
{
    private readonly Dictionary<string, double> _patterns = new(StringComparer.Ordinal);
    private double? _alpha;
    private bool _rankStabilized;

    /// <summary>The description that belongs to the open <paramref name="file"/> at <paramref name="path"/>.</summary>
    /// <exception cref="ModelException">It is no JSON object of peft's keys, or asks for what these adapters are not.</exception>
    public static LoraDescription Of(string path, SafetensorsFile file, string beside)
    {
        var description = new LoraDescription();
        if (file.Metadata.TryGetValue(LoraFile.MetadataKey, out string? text))
        {
            description.Read($"{path}: {LoraFile.MetadataKey}", text);
        }
        else if (File.Exists(beside))
        {
            description.Read(beside, File.ReadAllText(beside));
        }

        return description;
    }

    /// <summary>
    /// α of one adapter: its own, that of its pattern, that of all, or its rank. Rank-stabilised adapters are weighted by α/√r, which is put as an α
    /// over r.
    /// </summary>
    public double Alpha(LoraTensors tensors)
    {
        string module = tensors.Slot.Module;
        string? pattern = _patterns.Keys.FirstOrDefault(ending => LoraTargets.Matches(module, ending));
        double alpha = tensors.Alpha ?? (pattern is null ? _alpha ?? tensors.Rank : _patterns[pattern]);
        return _rankStabilized ? alpha * Math.Sqrt(tensors.Rank) : alpha;
    }

    private void Read(string place, string text)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(text);
            foreach (JsonProperty property in document.RootElement.EnumerateObject())
            {
                Take(place, property);
            }
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or FormatException)
        {
            throw new ModelException($"{place}: wanted a JSON object of peft's LoRA settings, got an error: {error.Message.ReplaceLineEndings(" ")}; restore the file, or remove the description to have α = rank");
        }
    }

    private void Take(string place, JsonProperty property)
    {
        string key = property.Name.StartsWith(LoraNames.Prefix, StringComparison.Ordinal) ? property.Name[LoraNames.Prefix.Length..] : property.Name;
        switch (key)
        {
            case "lora_alpha":
                _alpha = Finite(property.Value);
                break;
            case "alpha_pattern" when property.Value.ValueKind == JsonValueKind.Object:
                foreach (JsonProperty pattern in property.Value.EnumerateObject())
                {
                    _patterns[pattern.Name] = Finite(pattern.Value);
                }

                break;
            case "use_rslora":
                _rankStabilized = property.Value.ValueKind == JsonValueKind.True;
                break;
            case "use_dora" when property.Value.ValueKind == JsonValueKind.True:
                throw new ModelException($"{place}: wanted plain LoRA, got use_dora true; merge these adapters with the tool that made them");
        }
    }

    private static double Finite(JsonElement value) =>
        value.GetDouble() is var number && double.IsFinite(number) ? number : throw new FormatException("α must be a finite number");
}
