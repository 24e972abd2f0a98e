namespace CoGrpo.Rl.Charts;

/// <summary>
/// A line chart as SVG: dark text on white, several series in colours that colour-blind readers can tell apart, a legend when there are two or more.
/// </summary>
public sealed class LineChart
{
    private const double MarginLeft = 62;
    private const double MarginRight = 18;
    private const double MarginBottom = 44;
    private const double LegendLine = 18;

    // Average advance of the 12 pixel font; SVG has no way to measure text.
    private const double CharacterWidth = 6.6;

    private static readonly string[] Colors = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#7a5c00", "#56b4e9", "#555555", "#e69f00"];

    /// <summary>A chart of at least one series.</summary>
    /// <exception cref="ArgumentException">There is no series.</exception>
    public LineChart(string title, string xLabel, string yLabel, IReadOnlyList<ChartSeries> series)
    {
        if (series.Count == 0)
        {
            throw new ArgumentException($"chart '{title}': wanted one or more series, got none", nameof(series));
        }

        Title = title;
        XLabel = xLabel;
        YLabel = yLabel;
        Series = series;
    }

    /// <summary>Text above the chart.</summary>
    public string Title { get; }

    /// <summary>Text below the horizontal axis.</summary>
    public string XLabel { get; }

    /// <summary>Text beside the vertical axis.</summary>
    public string YLabel { get; }

    /// <summary>The lines, drawn in this order.</summary>
    public IReadOnlyList<ChartSeries> Series { get; }

    /// <summary>Width in pixels; at least 160.</summary>
    public int Width { get; init; } = 640;

    /// <summary>Height in pixels; at least 120.</summary>
    public int Height { get; init; } = 400;

    /// <summary>The chart as a whole SVG document. The same data always give the same text.</summary>
    public string ToSvg()
    {
        var svg = new SvgBuilder(Width, Height);
        Draw(svg, 0, 0);
        return svg.ToString();
    }

    /// <summary>Draws the chart with its top left corner at (left, top).</summary>
    internal void Draw(SvgBuilder svg, double left, double top)
    {
        double legendBottom = DrawHead(svg, left, top);
        double x0 = left + MarginLeft;
        double x1 = left + Math.Max(160, Width) - MarginRight;
        double y0 = top + Math.Max(120, Height) - MarginBottom;
        double y1 = legendBottom + 12;
        (ChartAxis horizontal, ChartAxis vertical) = Axes(x1 - x0, y0 - y1);
        double MapX(double x) => x0 + (horizontal.Fraction(x) * (x1 - x0));
        double MapY(double y) => y0 + (vertical.Fraction(y) * (y1 - y0));

        for (int i = 0; i < vertical.TickCount; i++)
        {
            double y = MapY(vertical.Tick(i));
            svg.Line(x0, y, x1, y, "#e0e0e0", 1);
            svg.Text(x0 - 7, y + 4, vertical.Label(i), "end");
        }

        for (int i = 0; i < horizontal.TickCount; i++)
        {
            double x = MapX(horizontal.Tick(i));
            svg.Line(x, y0, x, y0 + 4, "#222", 1);
            svg.Text(x, y0 + 17, horizontal.Label(i), "middle");
        }

        svg.Line(x0, y0, x1, y0, "#222", 1);
        svg.Line(x0, y0, x0, y1, "#222", 1);
        svg.Text((x0 + x1) / 2, y0 + 35, XLabel, "middle");
        double middle = (y0 + y1) / 2;
        svg.Text(0, 0, YLabel, "middle", FormattableString.Invariant($"transform=\"translate({left + 15:0.##} {middle:0.##}) rotate(-90)\""));

        // All bands first: none hides another series' line.
        for (int s = 0; s < Series.Count; s++)
        {
            ForEachRun(Series[s], (first, end) => DrawBand(svg, Series[s], first, end, Colors[s % Colors.Length], MapX, MapY));
        }

        for (int s = 0; s < Series.Count; s++)
        {
            ForEachRun(Series[s], (first, end) => DrawLine(svg, Series[s], first, end, Colors[s % Colors.Length], MapX, MapY));
        }
    }

    private static void DrawBand(
        SvgBuilder svg, ChartSeries series, int first, int end, string color, Func<double, double> mapX, Func<double, double> mapY)
    {
        if (series.Deviation is null)
        {
            return;
        }

        var outline = new List<(double, double)>();
        for (int i = first; i < end; i++)
        {
            outline.Add((mapX(series.X[i]), mapY(series.Y[i] + series.BandAt(i))));
        }

        for (int i = end - 1; i >= first; i--)
        {
            outline.Add((mapX(series.X[i]), mapY(series.Y[i] - series.BandAt(i))));
        }

        svg.Polygon(outline, color);
    }

    private static void DrawLine(
        SvgBuilder svg, ChartSeries series, int first, int end, string color, Func<double, double> mapX, Func<double, double> mapY)
    {
        if (end - first == 1)
        {
            svg.Circle(mapX(series.X[first]), mapY(series.Y[first]), 2.5, color);
            return;
        }

        var points = new List<(double, double)>();
        for (int i = first; i < end; i++)
        {
            points.Add((mapX(series.X[i]), mapY(series.Y[i])));
        }

        svg.Polyline(points, color);
    }

    /// <summary>Calls back with each longest range [first, end) of points that can be drawn.</summary>
    private static void ForEachRun(ChartSeries series, Action<int, int> draw)
    {
        for (int first = 0; first < series.X.Count; first++)
        {
            int end = first;
            while (end < series.X.Count && series.IsFinite(end))
            {
                end++;
            }

            if (end > first)
            {
                draw(first, end);
                first = end;
            }
        }
    }

    /// <summary>Title and legend; returns the lower edge of both.</summary>
    private double DrawHead(SvgBuilder svg, double left, double top)
    {
        svg.Text(left + MarginLeft, top + 22, Title, style: "font-size=\"14\" font-weight=\"600\"");
        double y = top + 24;
        if (Series.Count < 2)
        {
            return y;
        }

        double x = left + MarginLeft;
        y += LegendLine;
        for (int s = 0; s < Series.Count; s++)
        {
            double width = 26 + (Series[s].Name.Length * CharacterWidth) + 14;
            if (x + width > left + Width && x > left + MarginLeft)
            {
                x = left + MarginLeft;
                y += LegendLine;
            }

            svg.Line(x, y - 4, x + 20, y - 4, Colors[s % Colors.Length], 3);
            svg.Text(x + 26, y, Series[s].Name);
            x += width;
        }

        return y;
    }

    private (ChartAxis Horizontal, ChartAxis Vertical) Axes(double width, double height)
    {
        (double lowX, double highX) = (double.PositiveInfinity, double.NegativeInfinity);
        (double lowY, double highY) = (double.PositiveInfinity, double.NegativeInfinity);
        foreach (ChartSeries series in Series)
        {
            for (int i = 0; i < series.X.Count; i++)
            {
                if (series.IsFinite(i))
                {
                    (lowX, highX) = (Math.Min(lowX, series.X[i]), Math.Max(highX, series.X[i]));
                    lowY = Math.Min(lowY, series.Y[i] - series.BandAt(i));
                    highY = Math.Max(highY, series.Y[i] + series.BandAt(i));
                }
            }
        }

        return (ChartAxis.Covering(lowX, highX, Math.Clamp((int)(width / 80), 2, 10)),
            ChartAxis.Covering(lowY, highY, Math.Clamp((int)(height / 45), 2, 8)));
    }
}
