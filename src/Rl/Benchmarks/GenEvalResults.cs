using System.Globalization;
using System.Text.Json;
using CoGrpo.Model;

namespace CoGrpo.Rl.Benchmarks;

/// <summary>
/// Result files of GenEval: one JSON object per picture. A task's score is the share of its pictures that are correct, the overall score the plain
/// mean of the tasks.
/// </summary>
public static class GenEvalResults
{
    /// <summary>Pictures of each task as published: four for each of its prompts.</summary>
    private static readonly (string Tag, int Pictures)[] Tasks =
    [
        ("single_object", 320),
        ("two_object", 396),
        ("counting", 320),
        ("colors", 376),
        ("position", 400),
        ("color_attr", 400),
    ];

    /// <summary>Reads <c>results.jsonl</c>.</summary>
    /// <exception cref="ModelException">It is malformed; the message names the line.</exception>
    public static ImportedScores Read(string path)
    {
        List<(string Tag, bool Correct, string Prompt)> pictures = [];
        HashSet<string> files = new(StringComparer.Ordinal);
        string[] lines = BenchmarkText.Read(path, "GenEval's results.jsonl").Split('\n');
        for (int i = 0; i < lines.Length; i++)
        {
            if (!string.IsNullOrWhiteSpace(lines[i]))
            {
                pictures.Add(Picture(path, lines[i], i + 1, files));
            }
        }

        if (pictures.Count == 0)
        {
            throw new ModelException($"{path}: wanted GenEval's results, one JSON object a picture, got no line; run its evaluator again");
        }

        List<string> notes = [];
        List<(string Name, double Score, int Count)> parts = [];
        foreach ((string tag, int published) in Tasks)
        {
            (string Tag, bool Correct, string Prompt)[] task = [.. pictures.Where(picture => picture.Tag == tag)];
            if (task.Length > 0)
            {
                parts.Add((tag, task.Average(picture => picture.Correct ? 1.0 : 0), task.Length));
            }

            if (task.Length != published)
            {
                notes.Add(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"Not comparable: {tag} has {task.Length} pictures, the published benchmark {published}."
                    )
                );
            }
        }

        notes.Add(string.Create(CultureInfo.InvariantCulture,
            $"{pictures.Average(picture => picture.Correct ? 100.0 : 0):f2} % of {pictures.Count} pictures are correct; {pictures.GroupBy(picture => picture.Prompt).Average(group => group.Any(picture => picture.Correct) ? 100.0 : 0):f2} % of the prompts have a correct picture."));
        return new ImportedScores("GenEval", parts, parts.Average(part => part.Score), 4, notes);
    }

    private static (string Tag, bool Correct, string Prompt) Picture(string path, string line, int number, HashSet<string> files)
    {
        ModelException Wrong(string wanted, string got) =>
            new($"{path}: wanted {wanted} in line {number}, got {got}; give the file that evaluate_images.py wrote");
        try
        {
            using JsonDocument json = JsonDocument.Parse(line);
            JsonElement record = json.RootElement;
            string? tag = BenchmarkText.Member(record, "tag"),
                file = BenchmarkText.Member(record, "filename");
            if (
                tag is null
                || file is null
                || !record.TryGetProperty("correct", out JsonElement correct)
                || correct.ValueKind is not (JsonValueKind.True or JsonValueKind.False)
            )
            {
                throw Wrong("an object with tag, filename and correct, true or false", "something else");
            }

            if (!Tasks.Any(task => task.Tag == tag))
            {
                throw Wrong($"a task of {string.Join(", ", Tasks.Select(task => task.Tag))}", $"\"{tag}\"");
            }

            return files.Add(file)
                ? (
                    tag,
                    correct.ValueKind == JsonValueKind.True,
                    BenchmarkText.Member(record, "metadata") ?? BenchmarkText.Member(record, "prompt") ?? file
                )
                : throw Wrong("each picture once", $"{file} again");
        }
        catch (JsonException)
        {
            throw Wrong("a JSON object", "malformed JSON");
        }
    }
}
