using System.Text.Json;
using CoGrpo.Model;
using CoGrpo.Rl.Prompts;

namespace CoGrpo.Rl.Benchmarks;

/// <summary>The prompts of the HPDv2 benchmark, four files of texts (specs/reward-models.md 4.3), and how its scores are averaged.</summary>
public static class HpdBenchmark
{
    /// <summary>Prompts of each style as published.</summary>
    public const int PublishedPrompts = 800;

    private const int Chunk = 80;

    /// <summary>File names without ending and table labels, in the order of published tables.</summary>
    public static IReadOnlyList<(string Name, string Label)> Styles { get; } =
    [("anime", "Animation"), ("concept-art", "Concept-art"), ("paintings", "Painting"), ("photo", "Photo")];

    /// <summary>
    /// Reads the folder with <c>anime.json</c>, <c>concept-art.json</c>, <c>paintings.json</c> and <c>photo.json</c>; other files in it do not
    /// matter.
    /// </summary>
    /// <exception cref="ModelException">A file is missing, or is no list of texts.</exception>
    public static IReadOnlyList<HpdStyle> Read(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        return Directory.Exists(folder)
            ? [.. Styles.Select(style => new HpdStyle(style.Name, style.Label, Texts(Path.Combine(folder, style.Name + ".json"))))]
            : throw new ModelException(
                $"{folder}: wanted the folder of the HPDv2 benchmark with {string.Join(", ", Styles.Select(style => style.Name + ".json"))}, there is no such folder; check the path"
            );
    }

    /// <summary>The score of a style as its evaluator gives it: the mean, over 80 pictures at a time, of their means. NaN without pictures.</summary>
    public static double StyleScore(IReadOnlyList<double> scores) =>
        scores.Count == 0 ? double.NaN : scores.Chunk(Chunk).Select(chunk => chunk.Average()).Average();

    private static List<string> Texts(string path)
    {
        string text = BenchmarkText.Read(path, "a file of prompts of the HPDv2 benchmark");
        JsonDocument json;
        try
        {
            json = JsonDocument.Parse(text);
        }
        catch (JsonException error)
        {
            throw new ModelException($"{path}: wanted a JSON list of texts, got malformed JSON in line {error.LineNumber + 1}; fetch it again");
        }

        using (json)
        {
            if (json.RootElement.ValueKind != JsonValueKind.Array || json.RootElement.GetArrayLength() == 0)
            {
                throw new ModelException($"{path}: wanted a JSON list of texts, got {(json.RootElement.ValueKind == JsonValueKind.Array ? "an empty list" : "something else")}; fetch it again");
            }

            List<string> prompts = [];
            foreach (JsonElement entry in json.RootElement.EnumerateArray())
            {
                prompts.Add(Prompt(entry) ?? throw new ModelException($"{path}: wanted texts of 1 to {PromptFile.Longest} characters, got something else in entry {prompts.Count + 1}; fetch it again"));
            }

            return prompts;
        }
    }

    private static string? Prompt(JsonElement entry)
    {
        try
        {
            return entry.ValueKind == JsonValueKind.String && entry.GetString()!.Trim() is { Length: > 0 and <= PromptFile.Longest } prompt
                ? prompt
                : null;
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair.
            return null;
        }
    }
}
