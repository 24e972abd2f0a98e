using System.Globalization;
using System.Text;
using CoGrpo.Rl.EmojiScenes;

namespace CoGrpo.Rl.Runs;

/// <summary>Evaluation reports as text: one line, log values, a Markdown table.</summary>
internal static class ScoreTable
{
    /// <summary>Mean scores and the judge of every task in one line.</summary>
    public static string Line(EvaluationReport report)
    {
        TaskScores mean = report.Mean;
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture,
            $"judge {mean.Judge:f3} ± {report.JudgeStandardError:f3}, adherence {mean.Adherence:f3}, fidelity {mean.Fidelity:f3}, diversity {mean.Diversity:f2} (");
        for (int task = 0; task < PromptSet.TaskCount; task++)
        {
            text.Append(CultureInfo.InvariantCulture, $"{(task == 0 ? "" : " ")}{((SceneTask)task).ToString().ToLowerInvariant()} {report.Of((SceneTask)task).Judge:f2}");
        }

        return text.Append(')').ToString();
    }

    /// <summary>Every score under a prefix.</summary>
    public static IEnumerable<KeyValuePair<string, double>> Flatten(string prefix, EvaluationReport report)
    {
        yield return new($"{prefix}/judge", report.Mean.Judge);
        yield return new($"{prefix}/adherence", report.Mean.Adherence);
        yield return new($"{prefix}/fidelity", report.Mean.Fidelity);
        yield return new($"{prefix}/diversity", report.Mean.Diversity);
        for (int task = 0; task < PromptSet.TaskCount; task++)
        {
            yield return new($"{prefix}/judge/{((SceneTask)task).ToString().ToLowerInvariant()}", report.Of((SceneTask)task).Judge);
        }
    }

    /// <summary>A Markdown table, one row per named report.</summary>
    public static string Markdown(IEnumerable<(string Name, EvaluationReport Report)> rows)
    {
        var text = new StringBuilder();
        text.AppendLine("| | judge | adherence | fidelity | diversity | single | two | counting | colours | position | attribution |");
        text.AppendLine("|---|---|---|---|---|---|---|---|---|---|---|");
        foreach ((string name, EvaluationReport report) in rows)
        {
            TaskScores mean = report.Mean;
            text.Append(CultureInfo.InvariantCulture,
                $"| {name} | **{mean.Judge:f3}** ± {report.JudgeStandardError:f3} | {mean.Adherence:f3} | {mean.Fidelity:f3} | {mean.Diversity:f2} |");
            for (int task = 0; task < PromptSet.TaskCount; task++)
            {
                text.Append(CultureInfo.InvariantCulture, $" {report.Of((SceneTask)task).Judge:f2} |");
            }

            text.AppendLine();
        }

        return text.ToString();
    }
}
