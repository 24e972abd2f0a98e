using System.Globalization;
using CoGrpo.Rl.EmojiScenes;

namespace CoGrpo.Rl.Serving;

/// <summary>The scores of one schedule at one number of steps.</summary>
/// <param name="Schedule">hand-made; learned, adaptive; learned, table; or grid winner.</param>
/// <param name="Split">held-out or train.</param>
/// <param name="Steps">T.</param>
/// <param name="Report">The scores.</param>
public sealed record EvaluationRow(string Schedule, string Split, int Steps, EvaluationReport Report)
{
    /// <summary>
    /// Rows as a table: mean of each score with the judge's standard error, then the judge of each task. <paramref name="digits"/> after the point.
    /// </summary>
    public static ResultTable Table(IEnumerable<EvaluationRow> rows, int digits = 3)
    {
        string format = "F" + digits.ToString(CultureInfo.InvariantCulture);
        return new ResultTable(
            [
                "schedule", "split", "steps", "judge", "error", "adherence", "fidelity", "diversity",
                .. Enum.GetValues<SceneTask>().Select(task => task.ToString().ToLowerInvariant()),
            ],
            [.. rows.Select(row => row.Cells(format))],
            TextColumns: 2);
    }

    private IReadOnlyList<string> Cells(string format)
    {
        TaskScores mean = Report.Mean;
        double[] numbers =
        [
            mean.Judge,
            Report.JudgeStandardError,
            mean.Adherence,
            mean.Fidelity,
            mean.Diversity,
            .. Enum.GetValues<SceneTask>().Select(task => Report.Of(task).Judge),
        ];
        return
        [
            Schedule,
            Split,
            Steps.ToString(CultureInfo.InvariantCulture),
            .. numbers.Select(number => number.ToString(format, CultureInfo.InvariantCulture)),
        ];
    }
}
