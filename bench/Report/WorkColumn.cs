using System.Globalization;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;

namespace CoGrpo.Bench.Report;

/// <summary>A column computed from the work of a benchmark and its median time.</summary>
public sealed class WorkColumn : IColumn
{
    private readonly Func<Work, double, double> _value;
    private readonly string _format;

    /// <param name="name">Heading.</param>
    /// <param name="legend">What it is.</param>
    /// <param name="format">Format of the number.</param>
    /// <param name="value">From work and seconds; NaN prints a dash.</param>
    private WorkColumn(string name, string legend, string format, Func<Work, double, double> value) =>
        (ColumnName, Legend, _format, _value) = (name, legend, format, value);

    public static IReadOnlyList<WorkColumn> All { get; } =
    [
        new("GFLOP", "billions of operations of one call, by formula", "0.####", (work, _) => work.Gigaflops),
        new("MB", "millions of bytes that one call must read and write at least once", "0.##", (work, _) => work.Megabytes),
        new("GFLOP/s", "operations over median time", "0.0", (work, seconds) => work.Gigaflops / seconds),
        new("GB/s", "bytes over median time", "0.0", (work, seconds) => work.Megabytes / 1e3 / seconds),
        new(
            "% of peak",
            "GFLOP/s as a share of the measured FMA peak of as many threads",
            "0.0",
            (work, seconds) => 100 * work.Gigaflops / seconds / Machine.Current.Peak(work.Threads)
        ),
    ];

    public string Id => $"{nameof(WorkColumn)}.{ColumnName}";

    public string ColumnName { get; }

    public string Legend { get; }

    public bool AlwaysShow => true;

    public ColumnCategory Category => ColumnCategory.Custom;

    public int PriorityInCategory => 0;

    public bool IsNumeric => true;

    public UnitType UnitType => UnitType.Dimensionless;

    public string GetValue(Summary summary, BenchmarkCase benchmarkCase) =>
        Text(benchmarkCase, summary[benchmarkCase]?.ResultStatistics?.Median ?? double.NaN);

    public string GetValue(Summary summary, BenchmarkCase benchmarkCase, SummaryStyle style) => GetValue(summary, benchmarkCase);

    public bool IsDefault(Summary summary, BenchmarkCase benchmarkCase) => false;

    public bool IsAvailable(Summary summary) => true;

    /// <summary>The cell of a benchmark whose median is <paramref name="nanoseconds"/>.</summary>
    public string Text(BenchmarkCase benchmarkCase, double nanoseconds)
    {
        double value = _value(WorkOf(benchmarkCase), nanoseconds * 1e-9);
        return double.IsNaN(value) ? "-" : value.ToString(_format, CultureInfo.InvariantCulture);
    }

    private static Work WorkOf(BenchmarkCase benchmarkCase)
    {
        Type type = benchmarkCase.Descriptor.Type;
        var suite = (IMeasuredWork)Activator.CreateInstance(type)!;
        foreach (var parameter in benchmarkCase.Parameters.Items)
        {
            type.GetProperty(parameter.Name)!.SetValue(suite, parameter.Value);
        }

        return suite.WorkOf(benchmarkCase.Descriptor.WorkloadMethod.Name);
    }
}
