using System.Text;

namespace CoGrpo.Rl.Serving;

/// <summary>
/// A table of texts that can be written as aligned plain text, Markdown or CSV. Cells are printed as they are; none may hold a line break.
/// </summary>
/// <param name="Headers">Column titles.</param>
/// <param name="Rows">Rows of as many cells.</param>
/// <param name="TextColumns">Number of leading columns that are text and stand left; the others are numbers and stand right.</param>
public sealed record ResultTable(IReadOnlyList<string> Headers, IReadOnlyList<IReadOnlyList<string>> Rows, int TextColumns)
{
    /// <summary>Columns padded to their widest cell, two blanks between them.</summary>
    public string ToPlainText()
    {
        int[] widths = [.. Headers.Select((header, c) => Math.Max(header.Length, Rows.Count == 0 ? 0 : Rows.Max(row => row[c].Length)))];
        var text = new StringBuilder();
        foreach (IReadOnlyList<string> row in Rows.Prepend(Headers))
        {
            string line = string.Join("  ", row.Select((cell, c) => c < TextColumns ? cell.PadRight(widths[c]) : cell.PadLeft(widths[c])));
            text.Append(line.TrimEnd()).Append('\n');
        }

        return text.ToString();
    }

    /// <summary>A table of GitHub's Markdown.</summary>
    public string ToMarkdown()
    {
        var text = new StringBuilder();
        text.Append("| ").AppendJoin(" | ", Headers).Append(" |\n");
        text.Append('|').AppendJoin('|', Headers.Select((_, c) => c < TextColumns ? "---" : "---:")).Append("|\n");
        foreach (IReadOnlyList<string> row in Rows)
        {
            text.Append("| ").AppendJoin(" | ", row.Select(cell => cell.Replace("|", "\\|", StringComparison.Ordinal))).Append(" |\n");
        }

        return text.ToString();
    }

    /// <summary>Comma-separated values (RFC 4180, with line feeds), titles first.</summary>
    public string ToCsv()
    {
        var text = new StringBuilder();
        foreach (IReadOnlyList<string> row in Rows.Prepend(Headers))
        {
            text.AppendJoin(',', row.Select(Quote)).Append('\n');
        }

        return text.ToString();
    }

    private static string Quote(string cell) =>
        cell.AsSpan().IndexOfAny(',', '"') < 0 ? cell : $"\"{cell.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
