using System.Globalization;
using System.Text;
using CoGrpo.Rl.Charts;
using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.Evaluation;
using CoGrpo.Rl.Logging;
using CoGrpo.Rl.Training;
using CoGrpo.Runtime.Files;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Rl.Runs;

/// <summary>
/// report.md of a training run with its curves: what was trained, scores before and after, pictures, schedule and reward curves read back from
/// metrics.jsonl.
/// </summary>
internal sealed class RunReport
{
    private static readonly string[] ActionTitles = ["re-mask ratio r", "sampling temperature", "re-mask temperature", "guidance s"];
    private static readonly string[] ActionKeys = ["r", "tau_s", "tau_r", "s"];

    private readonly RunConfiguration _configuration;
    private readonly RunFolder _folder;
    private readonly IRunData _data;
    private readonly LaneSet _lanes;

    public RunReport(RunConfiguration configuration, RunFolder folder, IRunData data, LaneSet lanes)
    {
        _configuration = configuration;
        _folder = folder;
        _data = data;
        _lanes = lanes;
    }

    private string ModeName => SettingInfo.EnumNames(typeof(TrainMode))[(int)_configuration.Train.Mode];

    /// <summary>Scores of the base; null in a resumed run, whose metrics.jsonl has them.</summary>
    public ScoreSheet? Before { get; set; }

    /// <summary>Scores of the trained model per step count; of the base in a run without iterations.</summary>
    public List<(int Steps, ScoreSheet Report)> After { get; } = [];

    /// <summary>Writes the curves and the report, and last the scores of the trained model for machines.</summary>
    public void Write()
    {
        List<Dictionary<string, double>> metrics = MetricsReader.Read(_folder.At("metrics.jsonl"));
        List<Dictionary<string, double>> iterations = [.. metrics.Where(m => m.ContainsKey("advantage/mean_abs"))];
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"# {ModeName} on {_data.Title}");
        text.AppendLine();
        text.AppendLine(CultureInfo.InvariantCulture,
            $"{iterations.Count} iterations, T = {_configuration.Sampling.Steps}, seed {_configuration.Seed}. Settings: [config.json](config.json); numbers: metrics.jsonl and TensorBoard events.");
        text.AppendLine();
        text.AppendLine(_data.EvaluationNote);
        text.AppendLine();
        var rows = new List<(string, ScoreSheet)>();
        if (Before is not null)
        {
            rows.Add(("base, hand-made schedule", Before));
        }

        rows.AddRange(After.Select(a => (iterations.Count > 0 ? $"trained, T = {a.Steps}" : $"base, hand-made schedule, T = {a.Steps}", a.Report)));
        text.Append(ScoreTable.Markdown(rows));
        if (iterations.Count > 0)
        {
            text.AppendLine();
            text.AppendLine("## Before and after");
            text.AppendLine();
            text.AppendLine("Same prompts, same noise.");
            text.AppendLine();
            text.AppendLine("| before | after |")
                .AppendLine("|---|---|")
                .AppendLine("| ![before](samples/before.png) | ![after](samples/after.png) |");
        }

        if (iterations.Count > 1)
        {
            AtomicFile.WriteAllText(_folder.At("rewards.svg"), Rewards(iterations));
            AtomicFile.WriteAllText(_folder.At("schedule.svg"), Schedule(iterations[^1]));
            text.AppendLine().AppendLine("## Curves").AppendLine();
            text.AppendLine("![rewards](rewards.svg)").AppendLine().AppendLine("![schedule](schedule.svg)");
            double seconds = iterations.Sum(m => m["time/rollout"] + m["time/reward"] + m["time/update"]);
            text.AppendLine().AppendLine("## Time").AppendLine();
            text.AppendLine(CultureInfo.InvariantCulture,
                $"{seconds:f0} s in {iterations.Count} iterations: rollouts {Share("time/rollout"):p0}, rewards {Share("time/reward"):p0}, updates {Share("time/update"):p0}; " +
                $"{iterations.Sum(m => m["compute/forward_equivalents"]):f0} forward equivalents; {_lanes.ReservedBytes >> 20} MiB of work memory.");
            double Share(string key) => iterations.Sum(m => m[key]) / Math.Max(1e-9, seconds);
        }

        AtomicFile.WriteAllText(_folder.At("report.md"), text.ToString());
        ScoreFile.Write(_folder.At(ScoreFile.Name), After);
    }

    private string Rewards(List<Dictionary<string, double>> iterations)
    {
        double[] x = [.. iterations.Select(m => m["iteration"])];
        ChartSeries Series(string name, string key) => new(name, x, [.. iterations.Select(m => m.GetValueOrDefault(key))]);
        var rewards = new LineChart(
            "Rewards on training prompts",
            "iteration",
            "mean",
            [.. _data.Rewards.Select(r => Series(r.Name, $"reward/{r.Name}/mean"))]
        );
        var watched = new LineChart(
            "Watched, never trained on",
            "iteration",
            "mean",
            [
                .. new[] { "judge", "diversity" }
                    .Where(name => iterations[0].ContainsKey($"heldout/{name}"))
                    .Select(name => Series(name, $"heldout/{name}")),
            ]
        );
        return ChartGrid.ToSvg("Rollouts", [rewards, watched]);
    }

    private string Schedule(Dictionary<string, double> last)
    {
        int steps = _configuration.Sampling.Steps;
        double[] x = [.. Enumerable.Range(0, steps).Select(t => (double)t)];
        HandMadeSettings hand = RunFactory.HandMade(_configuration.Sampling.HandMade);
        var charts = new List<LineChart>();
        for (int k = 0; k < ScheduleAction.Count; k++)
        {
            double[] made = [.. Enumerable.Range(0, steps).Select(t => hand.At(t, steps).Component(k))];
            double[] mean = [.. Enumerable.Range(0, steps).Select(t => last[$"action/{ActionKeys[k]}/step{t}"])];
            double[] deviation = [.. Enumerable.Range(0, steps).Select(t => last[$"action/{ActionKeys[k]}_std/step{t}"])];
            charts.Add(
                new LineChart(
                    ActionTitles[k],
                    "step",
                    "",
                    [new ChartSeries("hand-made", x, made), new ChartSeries("last rollout", x, mean, deviation)]
                )
            );
        }

        return ChartGrid.ToSvg("Schedule", charts);
    }
}
