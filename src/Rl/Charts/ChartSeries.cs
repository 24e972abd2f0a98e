namespace CoGrpo.Rl.Charts;

/// <summary>One line of a <see cref="LineChart"/>.</summary>
public sealed class ChartSeries
{
    /// <summary>A line through the points (x, y) in the order given; a point that is not finite interrupts it.</summary>
    /// <param name="name">Name in the legend.</param>
    /// <param name="x">Horizontal values.</param>
    /// <param name="y">Vertical values, as many.</param>
    /// <param name="deviation">When given, as many half-widths of a band around the line, such as standard deviations.</param>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public ChartSeries(string name, IReadOnlyList<double> x, IReadOnlyList<double> y, IReadOnlyList<double>? deviation = null)
    {
        if (x.Count != y.Count || (deviation is not null && deviation.Count != x.Count))
        {
            throw new ArgumentException(
                $"series '{name}': wanted equal lengths, got {x.Count} x, {y.Count} y, {deviation?.Count} deviations",
                nameof(y)
            );
        }

        Name = name;
        X = x;
        Y = y;
        Deviation = deviation;
    }

    /// <summary>Name in the legend.</summary>
    public string Name { get; }

    /// <summary>Horizontal values.</summary>
    public IReadOnlyList<double> X { get; }

    /// <summary>Vertical values.</summary>
    public IReadOnlyList<double> Y { get; }

    /// <summary>Half-widths of the band, or null.</summary>
    public IReadOnlyList<double>? Deviation { get; }

    /// <summary>Half-width of the band at point <paramref name="i"/>: 0 without a band or where it is not finite.</summary>
    internal double BandAt(int i) => Deviation is not null && double.IsFinite(Deviation[i]) ? Math.Abs(Deviation[i]) : 0;

    /// <summary>Whether point <paramref name="i"/> can be drawn.</summary>
    internal bool IsFinite(int i) => double.IsFinite(X[i]) && double.IsFinite(Y[i]);
}
