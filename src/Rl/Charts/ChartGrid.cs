namespace CoGrpo.Rl.Charts;

/// <summary>Several charts in one SVG document, row by row under a common title: small multiples.</summary>
public static class ChartGrid
{
    private const double TitleHeight = 30;

    /// <summary>The document; every cell is as large as the largest chart.</summary>
    /// <exception cref="ArgumentException">There is no chart.</exception>
    public static string ToSvg(string title, IReadOnlyList<LineChart> charts, int columns = 2)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(columns, 1);
        if (charts.Count == 0)
        {
            throw new ArgumentException($"grid '{title}': wanted one or more charts, got none", nameof(charts));
        }

        columns = Math.Min(columns, charts.Count);
        int rows = (charts.Count + columns - 1) / columns;
        int width = charts.Max(c => c.Width);
        int height = charts.Max(c => c.Height);
        var svg = new SvgBuilder(columns * width, TitleHeight + (rows * height));
        svg.Text(columns * width / 2.0, 22, title, "middle", "font-size=\"16\" font-weight=\"600\"");
        for (int i = 0; i < charts.Count; i++)
        {
            charts[i].Draw(svg, i % columns * width, TitleHeight + (i / columns * height));
        }

        return svg.ToString();
    }
}
