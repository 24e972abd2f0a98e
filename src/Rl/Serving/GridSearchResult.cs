using System.Globalization;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Rl.Serving;

/// <summary>What <see cref="HandMadeGridSearch"/> found at one number of steps.</summary>
/// <param name="Steps">T.</param>
/// <param name="Scores">Every score of every round, the last round's last; within a round best first.</param>
public sealed record GridSearchResult(int Steps, IReadOnlyList<GridSearchScore> Scores)
{
    /// <summary>The best of the last round.</summary>
    public GridSearchScore Winner => Scores.First(score => score.Round == Scores[^1].Round);

    /// <summary>Settings as command-line options.</summary>
    public static string Options(HandMadeSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        return string.Create(CultureInfo.InvariantCulture,
            $"--set sampling.handMade.guidance={settings.Guidance} --set sampling.handMade.cosineExponent={settings.CosineExponent} --set sampling.handMade.remaskTemperature={settings.RemaskTemperature} --set sampling.handMade.samplingTemperature={settings.SamplingTemperature}");
    }

    /// <summary>The scores as a table; of the last round alone with <paramref name="finalOnly"/>.</summary>
    public static ResultTable Table(IEnumerable<GridSearchResult> results, bool finalOnly = false) =>
        new(
            [
                "steps",
                "round",
                "guidance",
                "remaskTemperature",
                "cosineExponent",
                "samplingTemperature",
                "pictures",
                "judge",
                "error",
                "adherence",
                "fidelity",
                "diversity",
            ],
            [
                .. results.SelectMany(result =>
                    result.Scores.Where(score => !finalOnly || score.Round == result.Scores[^1].Round).Select(score => Cells(result.Steps, score))
                ),
            ],
            TextColumns: 0
        );

    private static IReadOnlyList<string> Cells(int steps, GridSearchScore score)
    {
        HandMadeSettings s = score.Settings;
        FormattableString[] cells =
        [
            $"{steps}",
            $"{score.Round}",
            $"{s.Guidance}",
            $"{s.RemaskTemperature}",
            $"{s.CosineExponent}",
            $"{s.SamplingTemperature}",
            $"{score.Pictures}",
            $"{score.Report.Mean.Judge:f4}",
            $"{score.Report.JudgeStandardError:f4}",
            $"{score.Report.Mean.Adherence:f4}",
            $"{score.Report.Mean.Fidelity:f4}",
            $"{score.Report.Mean.Diversity:f4}",
        ];
        return [.. cells.Select(FormattableString.Invariant)];
    }
}
