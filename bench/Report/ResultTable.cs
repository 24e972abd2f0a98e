using System.Globalization;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;

namespace CoGrpo.Bench.Report;

/// <summary>All results of a run in one Markdown document.</summary>
public static class ResultTable
{
    public static string Of(IReadOnlyList<Summary> summaries)
    {
        var lines = new List<string> { $"# Benchmarks, {DateTime.UtcNow:yyyy-MM-dd}", "" };
        lines.AddRange(Machine.Current.Lines().Select(line => $"- {line}"));
        lines.Add("");
        if (Machine.Current.Warning is { } warning)
        {
            lines.AddRange([$"**{warning}**", ""]);
        }

        string[] heads = ["suite", "case", "size", "median", "std dev", .. WorkColumn.All.Select(c => c.ColumnName)];
        List<string[]> rows = [.. summaries.SelectMany(s => s.BenchmarksCases.Select(c => Row(s, c)))];
        int[] widths = [.. heads.Select((head, i) => Math.Max(head.Length, rows.Select(r => r[i].Length).DefaultIfEmpty().Max()))];
        lines.Add(Line(heads, widths));
        lines.Add($"|{string.Join('|', widths.Select((w, i) => i < 3 ? new string('-', w + 2) : new string('-', w + 1) + ":"))}|");
        lines.AddRange(rows.Select(row => Line(row, widths)));
        lines.Add("");
        lines.AddRange(WorkColumn.All.Select(c => $"- {c.ColumnName}: {c.Legend}"));
        lines.Add("- the formulas stand in the doc comments of `bench/Suites`; a dash: a count would say nothing");
        return string.Join(Environment.NewLine, lines) + Environment.NewLine;
    }

    private static string[] Row(Summary summary, BenchmarkCase benchmark)
    {
        var statistics = summary[benchmark]?.ResultStatistics;
        string size = string.Join(
            ", ",
            benchmark.Parameters.Items.Select(p => p.Value is string text ? text : $"{p.Value} {p.Name.ToLowerInvariant()}")
        );
        string[] what = [benchmark.Descriptor.Type.Name, benchmark.Descriptor.WorkloadMethod.Name, size];
        return statistics is null
            ? [.. what, "failed", "", .. WorkColumn.All.Select(_ => "")]
            :
            [
                .. what,
                Time(statistics.Median),
                Time(statistics.StandardDeviation),
                .. WorkColumn.All.Select(c => c.Text(benchmark, statistics.Median)),
            ];
    }

    private static string Line(string[] cells, int[] widths) =>
        $"| {string.Join(" | ", cells.Select((cell, i) => i < 3 ? cell.PadRight(widths[i]) : cell.PadLeft(widths[i])))} |";

    private static string Time(double nanoseconds) => nanoseconds switch
    {
        >= 1e9 => string.Create(CultureInfo.InvariantCulture, $"{nanoseconds / 1e9:0.00} s"),
        >= 1e6 => string.Create(CultureInfo.InvariantCulture, $"{nanoseconds / 1e6:0.00} ms"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{nanoseconds / 1e3:0.0} us"),
    };
}
