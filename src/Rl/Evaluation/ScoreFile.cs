using System.Buffers;
using System.Text.Json;
using CoGrpo.Model;
using CoGrpo.Runtime.Files;

namespace CoGrpo.Rl.Evaluation;

/// <summary>
/// scores.json of a run folder: the last evaluation at every number of steps, bit for bit. It is the last file a run writes, so where it is, the run
/// is whole.
/// </summary>
public static class ScoreFile
{
    /// <summary>The file's name in a run folder.</summary>
    public const string Name = "scores.json";

    /// <summary>Writes the sheets in one step. A standard error that is not told, NaN, is null in the file.</summary>
    public static void Write(string path, IEnumerable<(int Steps, ScoreSheet Sheet)> evaluations)
    {
        ArgumentNullException.ThrowIfNull(evaluations);
        var text = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(text, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartArray();
            foreach ((int steps, ScoreSheet sheet) in evaluations)
            {
                json.WriteStartObject();
                json.WriteNumber("steps", steps);
                Write(json, "means", sheet.Means);
                Write(json, "parts", sheet.Parts);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        AtomicFile.WriteAllBytes(path, text.WrittenMemory);
    }

    /// <summary>The sheets in the order they were written, each with at least one mean.</summary>
    /// <exception cref="ModelException">The file is not what <see cref="Write(string, IEnumerable{ValueTuple{int, ScoreSheet}})"/>
    /// writes.</exception>
    public static IReadOnlyList<(int Steps, ScoreSheet Sheet)> Read(string path)
    {
        try
        {
            using JsonDocument json = JsonDocument.Parse(File.ReadAllBytes(path));
            List<(int, ScoreSheet)> sheets =
            [
                .. json
                    .RootElement.EnumerateArray()
                    .Select(e => (e.GetProperty("steps").GetInt32(), new ScoreSheet(Scores(e.GetProperty("means")), Scores(e.GetProperty("parts"))))),
            ];
            return sheets.TrueForAll(e => e.Item2.Means.Count > 0) ? sheets : throw new FormatException("no score");
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw new ModelException($"{path}: wanted the scores of a finished run, got something else ({error.Message.TrimEnd('.').ReplaceLineEndings(" ")}); remove the run folder and make the run again");
        }
    }

    private static void Write(Utf8JsonWriter json, string name, IReadOnlyList<Score> scores)
    {
        json.WriteStartArray(name);
        foreach (Score score in scores)
        {
            json.WriteStartObject();
            json.WriteString("name", score.Name);
            Number("value", score.Value);
            json.WriteNumber("digits", score.Digits);
            Number("error", score.Error);
            json.WriteEndObject();
        }

        json.WriteEndArray();

        void Number(string key, double value)
        {
            if (double.IsFinite(value))
            {
                json.WriteNumber(key, value);
            }
            else
            {
                json.WriteNull(key);
            }
        }
    }

    private static Score[] Scores(JsonElement scores) =>
        [
            .. scores
                .EnumerateArray()
                .Select(score => new Score(
                    score.GetProperty("name").GetString() ?? throw new FormatException("a score without a name"),
                    Number(score, "value"),
                    Digits(score),
                    Number(score, "error")
                )),
        ];

    private static double Number(JsonElement score, string key) =>
        score.GetProperty(key) is { ValueKind: not JsonValueKind.Null } number ? number.GetDouble() : double.NaN;

    private static int Digits(JsonElement score) =>
        score.GetProperty("digits").GetInt32() is >= 0 and <= 15 and var digits ? digits : throw new FormatException("digits out of range");
}
