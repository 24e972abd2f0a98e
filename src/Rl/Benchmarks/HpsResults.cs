using System.Globalization;
using System.Text.RegularExpressions;
using CoGrpo.Model;

namespace CoGrpo.Rl.Benchmarks;

/// <summary>
/// What HPSv2's evaluator printed: a line <c>MODEL STYLE score deviation</c> for each style, score times 100, and <c>MODEL Average score</c>. Other
/// lines of its output are passed over.
/// </summary>
public static partial class HpsResults
{
    private const string Average = "Average";

    /// <summary>A cosine times 100 cannot be more; a version of the evaluator multiplied twice.</summary>
    private const double Largest = 100;

    /// <summary>Reads the saved output of an evaluation of one model.</summary>
    /// <exception cref="ModelException">It holds no scores, a style is missing or there twice, or there are several models.</exception>
    public static ImportedScores Read(string path)
    {
        string? model = null;
        Dictionary<string, double> scores = new(StringComparer.Ordinal);
        bool twice = false;
        string[] lines = BenchmarkText.Read(path, "the saved output of HPSv2's evaluator", 16L << 20).Split('\n');
        for (int i = 0; i < lines.Length; i++)
        {
            if (ScoreLine().Match(lines[i].TrimEnd()) is not { Success: true } match)
            {
                continue;
            }

            double score = double.Parse(match.Groups["score"].Value, NumberStyles.Float, CultureInfo.InvariantCulture);
            twice |= Math.Abs(score) > Largest;
            if (
                Math.Abs(score) > Largest * Largest
                || (model ??= match.Groups["model"].Value) != match.Groups["model"].Value
                || !scores.TryAdd(match.Groups["style"].Value, score)
            )
            {
                throw new ModelException($"{path}: wanted the scores of one model, each style once and at most {Largest}, got \"{lines[i].Trim()}\" in line {i + 1}; give the output of one evaluation");
            }
        }

        string[] missing = [.. HpdBenchmark.Styles.Select(style => style.Name).Where(style => !scores.ContainsKey(style))];
        if (missing.Length > 0)
        {
            throw new ModelException($"{path}: wanted a line MODEL STYLE score for each of {string.Join(", ", HpdBenchmark.Styles.Select(style => style.Name))}, got none for {string.Join(", ", missing)}; save what the evaluator prints");
        }

        List<string> notes = [];
        if (twice)
        {
            notes.Add("The evaluator multiplied by 100 twice, as one of its versions does; scores of styles are divided by 100 here.");
        }

        (string Name, double Score, int Count)[] parts =
        [
            .. HpdBenchmark.Styles.Select(style => (style.Label, twice ? scores[style.Name] / Largest : scores[style.Name], 0)),
        ];
        if (!scores.TryGetValue(Average, out double overall))
        {
            overall = parts.Average(part => part.Score);
            notes.Add("The evaluator printed no average; the overall score is the mean of the styles, which is the mean over all pictures where the styles have equally many.");
        }
        else if (Math.Abs(overall) > Largest)
        {
            overall /= Largest;
        }

        return new ImportedScores("HPSv2", parts, overall, 2, notes);
    }

    [GeneratedRegex(
        @"^(?<model>.*?)\s+(?<style>anime|concept-art|paintings|photo|Average)\s+(?<score>-?\d{1,9}(\.\d{1,9})?)(\s+\d{1,9}(\.\d{1,9})?)?$",
        RegexOptions.CultureInvariant,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex ScoreLine();
}
