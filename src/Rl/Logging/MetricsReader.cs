using System.Text.Json;
using CoGrpo.Model;

namespace CoGrpo.Rl.Logging;

/// <summary>Reads back what <see cref="MetricsWriter"/> wrote, also while it is still open.</summary>
internal static class MetricsReader
{
    /// <summary>One entry a line: every number under its name, and NaN for what is none.</summary>
    /// <exception cref="ModelException">A line is not a JSON object.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static List<Dictionary<string, double>> Read(string path)
    {
        var lines = new List<Dictionary<string, double>>();
        using var reader = new StreamReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        while (reader.ReadLine() is { } line)
        {
            lines.Add(Values(line) ?? throw new ModelException($"{path}:{lines.Count + 1}: wanted a JSON object of metrics, got something else; remove the run folder and start the run again"));
        }

        return lines;
    }

    private static Dictionary<string, double>? Values(string line)
    {
        try
        {
            using JsonDocument json = JsonDocument.Parse(line);
            return json.RootElement.ValueKind != JsonValueKind.Object ? null : json.RootElement.EnumerateObject().ToDictionary(
                property => property.Name, property => property.Value.ValueKind == JsonValueKind.Number ? property.Value.GetDouble() : double.NaN);
        }
        catch (Exception error) when (error is JsonException or ArgumentException)
        {
            return null;
        }
    }
}
