using System.Globalization;
using System.Text;
using CoGrpo.Rl.Evaluation;

namespace CoGrpo.Rl.Runs;

/// <summary>Score sheets as text: one line, log values, a Markdown table.</summary>
internal static class ScoreTable
{
    /// <summary>The means, and the parts in brackets, in one line.</summary>
    public static string Line(ScoreSheet sheet)
    {
        string means = string.Join(", ", sheet.Means.Select(score => $"{score.Name} {Number(score)}"));
        return sheet.Parts.Count == 0 ? means : $"{means} ({string.Join(' ', sheet.Parts.Select(score => $"{score.Name} {Number(score)}"))})";
    }

    /// <summary>Every score under a prefix, and the standard errors that are told under <c>PREFIX_error</c>.</summary>
    public static IEnumerable<KeyValuePair<string, double>> Flatten(string prefix, ScoreSheet sheet) =>
    [
        .. sheet.Means.Select(score => KeyValuePair.Create($"{prefix}/{score.Name}", score.Value)),
        .. sheet.Parts.Select(score => KeyValuePair.Create($"{prefix}/{sheet.Means[0].Name}/{score.Name}", score.Value)),
        .. sheet.Means.Where(score => !double.IsNaN(score.Error)).Select(score => KeyValuePair.Create($"{prefix}_error/{score.Name}", score.Error)),
    ];

    /// <summary>The scores of a line of the log that <see cref="Flatten"/> wrote, parts among the means; none if it is another line.</summary>
    public static ScoreSheet Read(string prefix, IReadOnlyDictionary<string, double> line) => new(
        [
            .. line.Where(value => value.Key.StartsWith($"{prefix}/", StringComparison.Ordinal)).Select(value => value.Key[(prefix.Length + 1)..])
                .Select(name => new Score(name, line[$"{prefix}/{name}"], Error: line.GetValueOrDefault($"{prefix}_error/{name}", double.NaN))),
        ], []);

    /// <summary>A Markdown table, one row per named sheet; all have the columns of the first.</summary>
    public static string Markdown(IReadOnlyList<(string Name, ScoreSheet Sheet)> rows)
    {
        var text = new StringBuilder();
        Score[] columns = [.. rows[0].Sheet.Means, .. rows[0].Sheet.Parts];
        text.AppendLine(CultureInfo.InvariantCulture, $"| | {string.Join(" | ", columns.Select(score => score.Name))} |");
        text.Append('|').Insert(text.Length, "---|", columns.Length + 1).AppendLine();
        foreach ((string name, ScoreSheet sheet) in rows)
        {
            IEnumerable<string> cells = [Bold(sheet.Means[0]), .. sheet.Means.Skip(1).Select(Number), .. sheet.Parts.Select(Number)];
            text.AppendLine(CultureInfo.InvariantCulture, $"| {name} | {string.Join(" | ", cells)} |");
        }

        return text.ToString();
    }

    private static string Bold(Score score) => $"**{Value(score)}**{Error(score)}";

    private static string Number(Score score) => Value(score) + Error(score);

    private static string Value(Score score) => score.Value.ToString($"F{score.Digits}", CultureInfo.InvariantCulture);

    private static string Error(Score score) =>
        double.IsNaN(score.Error) ? "" : $" ± {score.Error.ToString($"F{score.Digits}", CultureInfo.InvariantCulture)}";
}
