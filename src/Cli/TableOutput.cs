using CoGrpo.Rl.Serving;
using Spectre.Console;

namespace CoGrpo.Cli;

/// <summary>Prints tables: framed on a terminal, plain aligned text into a pipe or file.</summary>
internal static class TableOutput
{
    /// <summary>Prints <paramref name="table"/> to <paramref name="output"/>.</summary>
    public static void Write(TextWriter output, ResultTable table)
    {
        if (ReferenceEquals(output, Console.Out) && !Console.IsOutputRedirected)
        {
            WriteFramed(output, table);
        }
        else
        {
            output.Write(table.ToPlainText());
        }
    }

    /// <summary>The framed form.</summary>
    internal static void WriteFramed(TextWriter output, ResultTable table)
    {
        var framed = new Table { Border = TableBorder.Rounded };
        for (int c = 0; c < table.Headers.Count; c++)
        {
            var column = new TableColumn(Markup.Escape(table.Headers[c]));
            framed.AddColumn(c < table.TextColumns ? column : column.RightAligned());
        }

        foreach (IReadOnlyList<string> row in table.Rows)
        {
            framed.AddRow([.. row.Select(Markup.Escape)]);
        }

        AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) }).Write(framed);
    }
}
