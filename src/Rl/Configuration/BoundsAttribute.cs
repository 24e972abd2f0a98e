using System.Globalization;

namespace CoGrpo.Rl.Configuration;

/// <summary>The allowed range of a number, or of every number of a list.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class BoundsAttribute(double min, double max = double.PositiveInfinity) : Attribute
{
    /// <summary>Least value.</summary>
    public double Min { get; } = min;

    /// <summary>Greatest value; infinity for none.</summary>
    public double Max { get; } = max;

    /// <summary>The least value itself is not allowed.</summary>
    public bool Above { get; init; }

    /// <summary>The greatest value itself is not allowed.</summary>
    public bool Below { get; init; }

    /// <summary>True if <paramref name="value"/> lies in the range.</summary>
    public bool Holds(double value)
        => (Above ? value > Min : value >= Min) && (Below ? value < Max : value <= Max);

    /// <summary>The range in words, as in "above 0 and at most 1".</summary>
    public override string ToString()
    {
        string low = (Above ? "above " : "at least ") + Text(Min);
        return double.IsPositiveInfinity(Max) ? low : $"{low} and {(Below ? "below" : "at most")} {Text(Max)}";
    }

    private static string Text(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
