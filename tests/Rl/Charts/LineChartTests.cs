using System.Globalization;
using System.Xml.Linq;
using CoGrpo.Rl.Charts;

namespace CoGrpo.Tests.Rl.Charts;

public sealed class LineChartTests
{
    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    [Theory]
    [InlineData(0, 1, 5, "0.0 0.2 0.4 0.6 0.8 1.0")]
    [InlineData(0.013, 0.078, 4, "0.00 0.02 0.04 0.06 0.08")]
    [InlineData(-3, 97, 5, "-20 0 20 40 60 80 100")]
    [InlineData(5, 5, 4, "4.5 5.0 5.5")]
    [InlineData(0, 0, 2, "-0.5 0.0 0.5")]
    [InlineData(0, 4000000, 2, "0 2e+6 4e+6")]
    [InlineData(double.PositiveInfinity, double.NegativeInfinity, 2, "0.0 0.5 1.0")]
    public void Ticks_are_round_numbers_that_cover_the_values(double low, double high, int ticks, string expected)
    {
        ChartAxis axis = ChartAxis.Covering(low, high, ticks);
        Assert.Equal(expected, string.Join(' ', Enumerable.Range(0, axis.TickCount).Select(axis.Label)));
        Assert.Equal(axis.High, axis.Tick(axis.TickCount - 1), 9);
    }

    [Fact]
    public void Chart_is_well_formed_with_escaped_texts_a_legend_and_all_points_inside()
    {
        double[] x = Enumerable.Range(0, 50).Select(i => (double)i).ToArray();
        var chart = new LineChart("Reward <mean> & spread", "iteration", "\"reward\"",
        [
            new ChartSeries("co & op", x, x.Select(v => Math.Sin(v / 9)).ToArray(), x.Select(_ => 0.2).ToArray()),
            new ChartSeries("baseline\u0001", x, x.Select(v => v / 50).ToArray()),
        ]);
        string text = chart.ToSvg();
        XElement root = XDocument.Parse(text).Root!;
        string[] texts = root.Elements(Svg + "text").Select(e => e.Value).ToArray();
        Assert.Contains("Reward <mean> & spread", texts);
        Assert.Contains("\"reward\"", texts);
        Assert.Contains("co & op", texts);
        Assert.Equal(2, root.Elements(Svg + "polyline").Count());
        Assert.Single(root.Elements(Svg + "polygon"));
        foreach ((double px, double py) in root.Elements().Where(e => e.Attribute("points") is not null).SelectMany(Points))
        {
            Assert.InRange(px, 0, chart.Width);
            Assert.InRange(py, 0, chart.Height);
        }

        Assert.Equal(text, chart.ToSvg());
    }

    [Fact]
    public void Values_map_linearly_and_upwards()
    {
        XElement root = XDocument.Parse(new LineChart("t", "x", "y", [new ChartSeries("a", [0, 1, 2], [0, 1, 2])]).ToSvg()).Root!;
        (double X, double Y)[] points = Points(root.Element(Svg + "polyline")!).ToArray();
        Assert.Equal((points[0].X + points[2].X) / 2, points[1].X, 1);
        Assert.Equal((points[0].Y + points[2].Y) / 2, points[1].Y, 1);
        Assert.True(points[2].Y < points[0].Y);
    }

    [Fact]
    public void Gaps_interrupt_the_line_and_single_points_are_dots()
    {
        double nan = double.NaN;
        var series = new ChartSeries("a", [0, 1, 2, 3, 4, 5, 6], [nan, 1, 2, double.PositiveInfinity, 4, nan, nan]);
        XElement root = XDocument.Parse(new LineChart("t", "x", "y", [series]).ToSvg()).Root!;
        Assert.Single(root.Elements(Svg + "polyline"));
        Assert.Single(root.Elements(Svg + "circle"));
        XDocument.Parse(new LineChart("nothing", "x", "y", [new ChartSeries("a", [], [])]).ToSvg());
    }

    [Fact]
    public void Grid_places_charts_side_by_side_and_below()
    {
        LineChart[] charts = Enumerable
            .Range(0, 4)
            .Select(i => new LineChart($"chart {i}", "step", "value", [new ChartSeries("a", [0, 1], [0, i])]) { Width = 300, Height = 200 })
            .ToArray();
        XElement root = XDocument.Parse(ChartGrid.ToSvg("Schedule", charts)).Root!;
        Assert.Equal(("600", "430"), (root.Attribute("width")!.Value, root.Attribute("height")!.Value));
        XElement[] titles = root.Elements(Svg + "text").Where(e => e.Value.StartsWith("chart ", StringComparison.Ordinal)).ToArray();
        Assert.Equal([62.0, 362.0, 62.0, 362.0], titles.Select(e => Number(e.Attribute("x")!.Value)));
        Assert.Equal([52.0, 52.0, 252.0, 252.0], titles.Select(e => Number(e.Attribute("y")!.Value)));
    }

    [Fact]
    public void Missing_or_uneven_data_are_refused()
    {
        Assert.Throws<ArgumentException>(() => new ChartSeries("a", [1], [1, 2]));
        Assert.Throws<ArgumentException>(() => new ChartSeries("a", [1], [1], [1, 2]));
        Assert.Throws<ArgumentException>(() => new LineChart("t", "x", "y", []));
        Assert.Throws<ArgumentException>(() => ChartGrid.ToSvg("t", []));
    }

    private static IEnumerable<(double X, double Y)> Points(XElement element) =>
        element.Attribute("points")!.Value.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(pair => pair.Split(',')).Select(pair => (Number(pair[0]), Number(pair[1])));

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
