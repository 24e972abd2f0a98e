using System.Globalization;
using System.Text;
using CoGrpo.Rl.Charts;
using CoGrpo.Rl.Evaluation;
using CoGrpo.Rl.Serving;
using CoGrpo.Runtime.Files;

namespace CoGrpo.Rl.Ablation;

/// <summary>
/// The tables of a study: mean and sample standard deviation over seeds of what its finished run folders hold. The same folders give the same bytes.
/// </summary>
public sealed class AblationReport
{
    private readonly IReadOnlyList<AblationTable> _tables;
    private readonly IReadOnlyList<long> _seeds;
    private readonly Dictionary<string, AblationResult[]> _results;

    /// <summary>Reads the folders of all runs.</summary>
    internal AblationReport(IReadOnlyList<AblationTable> tables, IReadOnlyList<AblationRun> runs)
    {
        _tables = tables;
        _seeds = [.. runs.Select(run => run.Seed).Distinct()];
        _results = runs.GroupBy(run => run.Arm.Key).ToDictionary(arm => arm.Key, arm => arm.Select(AblationResult.Read).ToArray());
    }

    /// <summary>Every table with its heading.</summary>
    public IReadOnlyList<(string Heading, ResultTable Table)> Tables => [.. _tables.Select(table => (Heading(table), Table(table)))];

    /// <summary>The files that <see cref="Write"/> leaves.</summary>
    public IReadOnlyList<string> Files { get; private set; } = [];

    /// <summary>Writes <c>tables.md</c>, and of each table <c>table-ID.csv</c>, with every score and seed, and <c>table-ID.svg</c>.</summary>
    public void Write(string folder)
    {
        List<string> files = [Path.Combine(folder, "tables.md")];
        var text = new StringBuilder("# Ablation\n\n");
        text.Append(CultureInfo.InvariantCulture, $"Seeds {string.Join(", ", _seeds)}. ");
        text.Append("± is the sample standard deviation over seeds; each seed has its own training, held-out prompts and noise, the latter two alike in all arms. ");
        text.Append("Arms that train are given the forward equivalents of the configuration's own cycles, as nearly as whole iterations allow.\n");
        foreach (AblationTable table in _tables)
        {
            string name = $"table-{table.Id}";
            text.Append(
                CultureInfo.InvariantCulture,
                $"\n## {Heading(table)}\n\n{table.Note}\n\n{Table(table).ToMarkdown()}\n![{table.Title}]({name}.svg)\n"
            );
            AtomicFile.WriteAllText(Path.Combine(folder, $"{name}.csv"), Csv(table).ToCsv());
            AtomicFile.WriteAllText(Path.Combine(folder, $"{name}.svg"), Picture(table));
            files.AddRange([Path.Combine(folder, $"{name}.csv"), Path.Combine(folder, $"{name}.svg")]);
        }

        AtomicFile.WriteAllText(files[0], text.ToString());
        Files = files;
    }

    private string Heading(AblationTable table) => table.Columns == AblationColumns.Scores
        ? string.Create(CultureInfo.InvariantCulture, $"Table {table.Id}: {table.Title}, T = {table.Steps[0]}")
        : $"Table {table.Id}: {table.Title}, {First(table).Name}";

    private Score First(AblationTable table) => _results[table.Arms[0].Key][0].At(table.Steps[0]).Means[0];

    private ResultTable Table(AblationTable table)
    {
        bool trains = table.Arms.Any(arm => _results[arm.Key][0].Iterations > 0);
        IEnumerable<string> scores = table.Columns == AblationColumns.Scores
            ? _results[table.Arms[0].Key][0].At(table.Steps[0]).Means.Select(score => score.Name)
            : table.Steps.Select(steps => string.Create(CultureInfo.InvariantCulture, $"T = {steps}"));
        return new ResultTable(
            ["", .. trains ? (string[])["iterations", "forward equivalents"] : [], .. scores],
            [.. table.Arms.Select(arm => (IReadOnlyList<string>)[arm.Name, .. trains ? Work(arm) : [], .. Cells(table, arm)])],
            TextColumns: 1);
    }

    private string[] Work(AblationArm arm) =>
    [
        _results[arm.Key][0].Iterations.ToString(CultureInfo.InvariantCulture),
        _results[arm.Key].Average(result => result.TotalWork).ToString("N0", CultureInfo.InvariantCulture),
    ];

    private IEnumerable<string> Cells(AblationTable table, AblationArm arm) => table.Columns == AblationColumns.Scores
        ? _results[arm.Key][0].At(table.Steps[0]).Means.Select((_, k) => Cell(arm, table.Steps[0], k))
        : table.Steps.Select(steps => Cell(arm, steps, 0));

    private string Cell(AblationArm arm, int steps, int score)
    {
        string format = "F" + _results[arm.Key][0].At(steps).Means[score].Digits.ToString(CultureInfo.InvariantCulture);
        double[] values = [.. _results[arm.Key].Select(result => result.At(steps).Means[score].Value)];
        string mean = values.Average().ToString(format, CultureInfo.InvariantCulture);
        return values.Length < 2 ? mean : $"{mean} ± {Deviation(values).ToString(format, CultureInfo.InvariantCulture)}";
    }

    /// <summary>One row for every arm, number of steps and score, parts of the first score included.</summary>
    private ResultTable Csv(AblationTable table) =>
        new(
            [
                "arm",
                "steps",
                "iterations",
                "forward_equivalents",
                "score",
                "mean",
                "deviation",
                .. _seeds.Select(seed => string.Create(CultureInfo.InvariantCulture, $"seed_{seed}")),
            ],
            [.. table.Arms.SelectMany(arm => table.Steps.SelectMany(steps => Rows(arm, steps)))],
            TextColumns: 1
        );

    private IEnumerable<IReadOnlyList<string>> Rows(AblationArm arm, int steps)
    {
        AblationResult[] results = _results[arm.Key];
        ScoreSheet first = results[0].At(steps);
        foreach (
            (string name, Func<ScoreSheet, double> value) in first
                .Means.Select((score, k) => (score.Name, (Func<ScoreSheet, double>)(sheet => sheet.Means[k].Value)))
                .Concat(
                    first.Parts.Select(
                        (score, k) => ($"{first.Means[0].Name}/{score.Name}", (Func<ScoreSheet, double>)(sheet => sheet.Parts[k].Value))
                    )
                )
        )
        {
            double[] values = [.. results.Select(result => value(result.At(steps)))];
            yield return
            [
                arm.Name,
                steps.ToString(CultureInfo.InvariantCulture),
                results[0].Iterations.ToString(CultureInfo.InvariantCulture),
                Text(results.Average(result => result.TotalWork)),
                name,
                Text(values.Average()),
                values.Length < 2 ? "" : Text(Deviation(values)),
                .. values.Select(Text),
            ];
        }
    }

    /// <summary>Scores over steps, or what the rollouts of each arm that trains reached for its work.</summary>
    private string Picture(AblationTable table)
    {
        if (table.Columns == AblationColumns.Steps)
        {
            return new LineChart(
                Heading(table),
                "steps",
                First(table).Name,
                [
                    .. table.Arms.Select(arm =>
                        Series(
                            arm.Name,
                            [.. table.Steps.Select(steps => (double)steps)],
                            [
                                .. _results[arm.Key]
                                    .Select(result => (IReadOnlyList<double>)[.. table.Steps.Select(steps => result.At(steps).Means[0].Value)]),
                            ]
                        )
                    ),
                ]
            ).ToSvg();
        }

        AblationArm[] trained = [.. table.Arms.Where(arm => _results[arm.Key][0].Iterations > 0)];
        return ChartGrid.ToSvg(
            $"{Heading(table)}: rollouts on training prompts",
            [
                .. _results[trained[0].Key]
                    [0]
                    .Curves.Select(curve => new LineChart(
                        curve,
                        "forward equivalents",
                        "mean",
                        [
                            .. trained.Select(arm =>
                                Series(arm.Name, _results[arm.Key][0].CumulativeWork, [.. _results[arm.Key].Select(result => result.Curve(curve))])
                            ),
                        ]
                    )),
            ]
        );
    }

    private static ChartSeries Series(string name, IReadOnlyList<double> x, IReadOnlyList<IReadOnlyList<double>> seeds)
    {
        double[][] values = [.. x.Select((_, i) => seeds.Select(seed => seed[i]).ToArray())];
        return new ChartSeries(name, x, [.. values.Select(v => v.Average())], seeds.Count < 2 ? null : [.. values.Select(Deviation)]);
    }

    /// <summary>Of a sample, over n - 1.</summary>
    private static double Deviation(double[] values)
    {
        double mean = values.Average();
        return Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (values.Length - 1));
    }

    private static string Text(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
