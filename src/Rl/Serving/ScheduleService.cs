using System.Globalization;
using CoGrpo.Rl.Charts;
using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.Training;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Rl.Serving;

/// <summary>The <c>schedule</c> command's work: the four curves of a schedule, per step, learned beside hand-made.</summary>
public sealed class ScheduleService
{
    private static readonly string[] Titles = ["re-mask ratio r", "sampling temperature τ_s", "re-mask temperature τ_r", "guidance s"];
    private static readonly string[] Names = ["r", "tau_s", "tau_r", "s"];

    private readonly HandMadeSettings _handMade;
    private readonly int _steps;
    private readonly ScheduleProfile? _learned;

    private ScheduleService(HandMadeSettings handMade, int steps, ScheduleProfile? learned) =>
        (_handMade, _steps, _learned) = (handMade, steps, learned);

    /// <summary>
    /// The curves at <c>sampling.steps</c> steps. With a learned schedule its mean over training prompts, and beside it the hand-made one
    /// that it started from; otherwise the configuration's hand-made one alone, for which no model is loaded.
    /// </summary>
    /// <exception cref="Model.ModelException">The model or the schedule cannot be used.</exception>
    public static ScheduleService Open(RunConfiguration configuration, ComputeDevice device, string? schedule, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        int steps = configuration.Sampling.Steps;
        if (schedule is null)
        {
            return new ScheduleService(RunFactory.HandMade(configuration.Sampling.HandMade), steps, null);
        }

        using ServingSession session = ServingSession.Open(configuration, device, schedule);
        return new ScheduleService(
            session.Learned!.Parametrization.HandMade,
            steps,
            ScheduleProfile.Of(session, steps, (ulong)configuration.Seed, cancellation)
        );
    }

    /// <summary>One row per step, counted from 1: hand-made values, then the learned means.</summary>
    public ResultTable Table()
    {
        var rows = new List<IReadOnlyList<string>>();
        for (int t = 0; t < _steps; t++)
        {
            List<string> row = [(t + 1).ToString(CultureInfo.InvariantCulture)];
            for (int k = 0; k < ScheduleAction.Count; k++)
            {
                row.Add(Text(_handMade.At(t, _steps).Component(k)));
                if (_learned is not null)
                {
                    row.Add(Text(_learned.Means[(t * ScheduleAction.Count) + k]));
                }
            }

            rows.Add(row);
        }

        string[] headers = _learned is null ? ["step", .. Names] : ["step", .. Names.SelectMany(name => new[] { name, name + " learned" })];
        return new ResultTable(headers, rows, TextColumns: 0);

        static string Text(double value) => value.ToString("F4", CultureInfo.InvariantCulture);
    }

    /// <summary>The curves as an SVG document of four charts; the learned one with a band of its standard deviation over pictures.</summary>
    public string ToSvg()
    {
        double[] x = [.. Enumerable.Range(1, _steps).Select(t => (double)t)];
        var charts = new List<LineChart>();
        for (int k = 0; k < ScheduleAction.Count; k++)
        {
            List<ChartSeries> series = [new("hand-made", x, [.. Enumerable.Range(0, _steps).Select(t => _handMade.At(t, _steps).Component(k))])];
            if (_learned is not null)
            {
                series.Add(new ChartSeries("learned", x, Column(_learned.Means, k), Column(_learned.Deviations, k)));
            }

            charts.Add(new LineChart(Titles[k], "step", "", series) { Width = 480, Height = 320 });
        }

        return ChartGrid.ToSvg($"Schedule in {_steps} steps", charts);
    }

    private double[] Column(ReadOnlySpan<double> values, int dimension)
    {
        var column = new double[_steps];
        for (int t = 0; t < _steps; t++)
        {
            column[t] = values[(t * ScheduleAction.Count) + dimension];
        }

        return column;
    }
}
