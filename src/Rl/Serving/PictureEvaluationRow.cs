using System.Globalization;

namespace CoGrpo.Rl.Serving;

/// <summary>One score of one schedule at one number of steps, in the form of published tables.</summary>
/// <param name="Schedule">hand-made or learned, adaptive.</param>
/// <param name="Steps">T.</param>
/// <param name="Score">Which score.</param>
/// <param name="Pictures">How many were scored.</param>
/// <param name="Mean">Over all pictures.</param>
/// <param name="Error">Standard error of the mean over prompts; NaN for a single prompt.</param>
/// <param name="Styles">The score of each style.</param>
public sealed record PictureEvaluationRow(
    string Schedule,
    int Steps,
    PictureScore Score,
    int Pictures,
    double Mean,
    double Error,
    IReadOnlyList<double> Styles
)
{
    /// <summary>
    /// Rows as a table, with a column for each style. <paramref name="digits"/> after the point, or as many as each score is worth.
    /// </summary>
    public static ResultTable Table(IEnumerable<PictureEvaluationRow> rows, IReadOnlyList<PromptStyle> styles, int? digits = null) => new(
        ["schedule", "score", "steps", "pictures", .. styles.Select(style => style.Label), styles.Count > 0 ? "Average" : "mean", "error"],
        [.. rows.Select(row => row.Cells(digits))],
        TextColumns: 2);

    private IReadOnlyList<string> Cells(int? digits)
    {
        string Number(double value, int more = 0) =>
            double.IsNaN(value)
                ? ""
                : value.ToString("F" + ((digits ?? Score.Digits) + more).ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
        return
        [
            Schedule,
            Score.Name,
            Steps.ToString(CultureInfo.InvariantCulture),
            Pictures.ToString(CultureInfo.InvariantCulture),
            .. Styles.Select(value => Number(value)),
            Number(Mean),
            Number(Error, digits is null ? 1 : 0),
        ];
    }
}
