using System.Globalization;
using System.Text;

namespace CoGrpo.Rl.Charts;

/// <summary>Writes SVG elements; numbers are rounded to hundredths of a pixel and text is escaped.</summary>
internal sealed class SvgBuilder
{
    private readonly StringBuilder _text = new();

    public SvgBuilder(double width, double height)
    {
        string size = string.Create(CultureInfo.InvariantCulture, $"width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\"");
        _text.Append("<svg xmlns=\"http://www.w3.org/2000/svg\" ").Append(size)
            .Append(" font-family=\"system-ui, sans-serif\" font-size=\"12\" fill=\"#222\">\n")
            .Append("<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n");
    }

    public void Line(double x1, double y1, double x2, double y2, string color, double width) =>
        _text.Append(CultureInfo.InvariantCulture, $"<line x1=\"{x1:0.##}\" y1=\"{y1:0.##}\" x2=\"{x2:0.##}\" y2=\"{y2:0.##}\" ")
            .Append(CultureInfo.InvariantCulture, $"stroke=\"{color}\" stroke-width=\"{width:0.##}\"/>\n");

    /// <param name="x">Where the text begins, centres or ends, by <paramref name="anchor"/> start, middle or end.</param>
    /// <param name="y">The base line.</param>
    /// <param name="text">Any text.</param>
    /// <param name="anchor">See <paramref name="x"/>.</param>
    /// <param name="style">More attributes, such as a weight or a rotation.</param>
    public void Text(double x, double y, string text, string anchor = "start", string style = "") =>
        _text.Append(CultureInfo.InvariantCulture, $"<text x=\"{x:0.##}\" y=\"{y:0.##}\" text-anchor=\"{anchor}\" {style}>")
            .Append(Escape(text)).Append("</text>\n");

    public void Polyline(IReadOnlyList<(double X, double Y)> points, string color) =>
        Points("polyline", points, $"fill=\"none\" stroke=\"{color}\" stroke-width=\"1.8\" stroke-linejoin=\"round\" stroke-linecap=\"round\"");

    public void Polygon(IReadOnlyList<(double X, double Y)> points, string color) =>
        Points("polygon", points, $"fill=\"{color}\" fill-opacity=\"0.18\" stroke=\"none\"");

    public void Circle(double x, double y, double radius, string color) =>
        _text.Append(CultureInfo.InvariantCulture, $"<circle cx=\"{x:0.##}\" cy=\"{y:0.##}\" r=\"{radius:0.##}\" fill=\"{color}\"/>\n");

    public override string ToString() => _text + "</svg>\n";

    private static string Escape(string text)
    {
        var escaped = new StringBuilder(text.Length);
        foreach (char c in text)
        {
            _ = c switch
            {
                '&' => escaped.Append("&amp;"),
                '<' => escaped.Append("&lt;"),
                '>' => escaped.Append("&gt;"),
                '"' => escaped.Append("&quot;"),

                // XML has no place for control characters, escaped or not.
                < ' ' => escaped.Append(' '),
                _ => escaped.Append(c),
            };
        }

        return escaped.ToString();
    }

    private void Points(string element, IReadOnlyList<(double X, double Y)> points, string style)
    {
        _text.Append('<').Append(element).Append(" points=\"");
        foreach ((double x, double y) in points)
        {
            _text.Append(CultureInfo.InvariantCulture, $"{x:0.##},{y:0.##} ");
        }

        _text.Append("\" ").Append(style).Append("/>\n");
    }
}
