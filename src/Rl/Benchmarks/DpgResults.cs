using System.Globalization;
using CoGrpo.Model;

namespace CoGrpo.Rl.Benchmarks;

/// <summary>
/// Result files of DPG-Bench: a line <c>PICTURE, s1, s2, s3, s4, mean</c> for each item, in whose scores a question already counts 0 where one it
/// depends on was answered no; then a summary. The score is 100 times the mean over items of the mean over pictures.
/// </summary>
public static class DpgResults
{
    private const int PublishedItems = 1065;
    private const int MostPictures = 4;
    private const double Tolerance = 1e-6;
    private const string Total = "DPG-Bench score:";

    /// <summary>
    /// Reads <c>dpg-bench_…_results.txt</c>. Scores of categories are those of the file's summary: they cannot be computed from its lines.
    /// </summary>
    /// <exception cref="ModelException">It is malformed, or its lines and its summary contradict each other.</exception>
    public static ImportedScores Read(string path)
    {
        string[] lines = BenchmarkText.Read(path, "DPG-Bench's result file").Split('\n');
        int summary = Array.FindIndex(lines, line => line.StartsWith("Model: ", StringComparison.Ordinal));
        Dictionary<string, double> items = new(StringComparer.Ordinal);
        int pictures = 0;
        for (int i = 0; i < (summary < 0 ? lines.Length : summary); i++)
        {
            if (!string.IsNullOrWhiteSpace(lines[i]))
            {
                (string item, double score, int count) = Item(path, lines[i].TrimEnd(), i + 1);
                if (!items.TryAdd(item, score) || (pictures > 0 && count != pictures))
                {
                    throw new ModelException($"{path}: wanted each item once with as many pictures as the others, got {item} {(count == pictures ? "again" : $"with {count} instead of {pictures} pictures")} in line {i + 1}; give the file of one run");
                }

                pictures = count;
            }
        }

        if (items.Count == 0)
        {
            throw new ModelException($"{path}: wanted lines PICTURE, scores, mean, got none; give the file dpg-bench_…_results.txt");
        }

        double overall = 100 * items.Values.Average();
        List<string> notes = [];
        if (items.Count != PublishedItems || pictures != MostPictures)
        {
            notes.Add(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"Not comparable: {items.Count} items of {pictures} pictures, the published benchmark has {PublishedItems} of {MostPictures}."
                )
            );
        }

        IReadOnlyList<(string Name, double Score, int Count)> parts = [];
        if (summary < 0)
        {
            notes.Add("The file has no summary, so the evaluation did not end; categories are in the summary alone.");
        }
        else
        {
            parts = Summary(path, lines, summary, overall);
            notes.Add("Categories are those of the evaluator, which takes the last picture of each item and leaves the dependencies out; the overall score takes all pictures, with dependencies.");
        }

        return new ImportedScores("DPG-Bench", parts, overall, 2, notes);
    }

    private static (string Item, double Score, int Pictures) Item(string path, string line, int number)
    {
        string[] fields = line.Split(", ");
        int first = fields.Length;
        var numbers = new List<double>();
        while (
            first > 1
            && double.TryParse(fields[first - 1], NumberStyles.Float, CultureInfo.InvariantCulture, out double value)
            && value is >= 0 and <= 1
        )
        {
            numbers.Insert(0, value);
            first--;
        }

        if (numbers.Count is < 2 or > MostPictures + 1 || Math.Abs(numbers[..^1].Average() - numbers[^1]) > Tolerance)
        {
            string found = numbers.Count is < 2 or > MostPictures + 1
                ? "something else"
                : string.Create(CultureInfo.InvariantCulture, $"a mean of {numbers[^1]} for scores with {numbers[..^1].Average()}");
            throw new ModelException(
                $"{path}: wanted PICTURE, 1 to {MostPictures} scores from 0 to 1 and their mean in line {number}, got {found}; give the file dpg-bench_…_results.txt, not the one of details"
            );
        }

        string name = string.Join(", ", fields[..first]);
        return (Path.GetFileName(name.Replace('\\', '/')).Split('.')[0], numbers[^1], numbers.Count - 1);
    }

    private static List<(string Name, double Score, int Count)> Summary(string path, string[] lines, int first, double overall)
    {
        List<(string Name, double Score, int Count)> parts = [];
        string level = "";
        double? total = null;
        for (int i = first + 1; i < lines.Length; i++)
        {
            string line = lines[i].TrimEnd();
            if (line.EndsWith("category scores:", StringComparison.Ordinal))
            {
                level = line[..2];
            }
            else if (line.StartsWith('\t') && line.LastIndexOf(':') is > 1 and int colon)
            {
                parts.Add(($"{level} {line[1..colon]}", Number(path, line[(colon + 1)..], i + 1), 0));
            }
            else if (line.StartsWith(Total, StringComparison.Ordinal))
            {
                total = Number(path, line[Total.Length..], i + 1);
            }
            else if (line.StartsWith("Model: ", StringComparison.Ordinal))
            {
                throw new ModelException($"{path}: wanted one summary, got a second one in line {i + 1}; give the file of one run");
            }
        }

        return total is { } said && Math.Abs(said - overall) <= 100 * Tolerance ? parts
            : throw new ModelException(string.Create(CultureInfo.InvariantCulture,
                $"{path}: wanted the {Total.TrimEnd(':')} that its items have, {overall:f4}, got {(total is null ? "none" : total.Value.ToString("f4", CultureInfo.InvariantCulture))}; lines are missing or of another run, run the evaluator again"));
    }

    private static double Number(string path, string text, int line) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && value is >= 0 and <= 100 ? value
            : throw new ModelException($"{path}: wanted a score from 0 to 100 in line {line}, got{text}; run the evaluator again");
}
