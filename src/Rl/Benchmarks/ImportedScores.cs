using System.Globalization;
using CoGrpo.Rl.Serving;

namespace CoGrpo.Rl.Benchmarks;

/// <summary>What the result file of an official evaluator says.</summary>
/// <param name="Title">Of a report.</param>
/// <param name="Parts">The score of each part of the benchmark, in the scale of published tables, and of how many pictures or answers, 0 where the
/// file does not tell.</param>
/// <param name="Overall">The benchmark's score, in the same scale.</param>
/// <param name="Digits">Decimals that published tables have.</param>
/// <param name="Notes">What makes the scores not comparable, and other figures of the file.</param>
public sealed record ImportedScores(
    string Title,
    IReadOnlyList<(string Name, double Score, int Count)> Parts,
    double Overall,
    int Digits,
    IReadOnlyList<string> Notes
)
{
    /// <summary>Parts and overall score as a table; <paramref name="digits"/> after the point, or as many as published.</summary>
    public ResultTable Table(int? digits = null)
    {
        string format = "F" + (digits ?? Digits).ToString(CultureInfo.InvariantCulture);
        return new ResultTable(
            ["part", "score", "count"],
            [
                .. Parts
                    .Append(("overall", Overall, 0))
                    .Select(part =>
                        (string[])
                            [
                                part.Item1,
                                part.Item2.ToString(format, CultureInfo.InvariantCulture),
                                part.Item3 > 0 ? part.Item3.ToString(CultureInfo.InvariantCulture) : "",
                            ]
                    ),
            ],
            TextColumns: 1
        );
    }

    /// <summary>A report.</summary>
    public string Markdown() => $"# {Title}\n\n{Table().ToMarkdown()}{string.Concat(Notes.Select(note => $"\n{note}\n"))}";
}
