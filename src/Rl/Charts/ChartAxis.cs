using System.Globalization;

namespace CoGrpo.Rl.Charts;

/// <summary>The range of one axis and the places of its ticks: multiples of 1, 2 or 5 times a power of ten.</summary>
internal sealed class ChartAxis
{
    private readonly double _step;
    private readonly int _decimals;

    private ChartAxis(double low, double high, double step)
    {
        Low = low;
        High = high;
        _step = step;
        _decimals = Math.Max(0, -(int)Math.Floor(Math.Log10(step) + 1e-9));
    }

    public double Low { get; }

    public double High { get; }

    /// <summary>Number of ticks from <see cref="Low"/> on, at most some dozens.</summary>
    public int TickCount => (int)Math.Floor(((High - Low) / _step) + 1e-6) + 1;

    /// <summary>An axis that begins and ends on ticks and covers the values; a single value gets room on both sides.</summary>
    public static ChartAxis Covering(double low, double high, int ticks)
    {
        if (!(low <= high))
        {
            (low, high) = (0, 1);
        }

        // Rounding of the data must not show as structure: the least span is a part in 10^9 of the values.
        double span = high - low;
        double least = Math.Max(Math.Abs(low), Math.Abs(high)) * 1e-9;
        if (span <= least)
        {
            double room = low == 0 ? 0.5 : Math.Abs(low) * 0.1;
            (low, high) = (low - room, high + room);
            span = high - low;
        }

        double step = NiceStep(span / ticks);
        return new ChartAxis(Math.Floor((low / step) + 1e-9) * step, Math.Ceiling((high / step) - 1e-9) * step, step);
    }

    /// <summary>Value of tick <paramref name="i"/>, computed as a multiple so that errors do not add up.</summary>
    public double Tick(int i) => (Math.Round(Low / _step) + i) * _step;

    public string Label(int i)
    {
        double value = Tick(i);
        return Math.Max(Math.Abs(Low), Math.Abs(High)) is >= 1e6 || _decimals > 5
            ? value.ToString("0.###e+0;-0.###e+0;0", CultureInfo.InvariantCulture)
            : value.ToString("F" + _decimals.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
    }

    /// <summary>Place of a value as a fraction of the axis.</summary>
    public double Fraction(double value) => (value - Low) / (High - Low);

    private static double NiceStep(double raw)
    {
        double power = Math.Pow(10, Math.Floor(Math.Log10(raw)));
        double fraction = raw / power;
        return power * (fraction <= 1.0001 ? 1 : fraction <= 2.0001 ? 2 : fraction <= 5.0001 ? 5 : 10);
    }
}
