using System.Globalization;

namespace CoGrpo.Cli.Progress;

/// <summary>Speed and time left of a piece of work, from its start.</summary>
internal sealed class RateMeter(TimeProvider time)
{
    private long _start;
    private long _total;
    private long _first;

    /// <summary>Units done.</summary>
    public long Done { get; private set; }

    /// <summary>Starts the clock; <paramref name="done"/> units were there before and do not count as speed.</summary>
    public void Start(long total, long done)
    {
        (_start, _total, Done, _first) = (time.GetTimestamp(), total, done, done);
    }

    /// <summary>So many units are done.</summary>
    public void Update(long done) => Done = done;

    /// <summary>As in <c>12/40 (30 %), 0.52/s, 54 s left</c>; the end shows the time taken instead.</summary>
    public string Describe()
    {
        double seconds = time.GetElapsedTime(_start).TotalSeconds;
        string share = _total > 0 ? $"{Done}/{_total} ({100 * Done / _total} %)" : $"{Done}";
        if (_total > 0 && Done >= _total)
        {
            return $"{share} in {Text(seconds)}";
        }

        double rate = seconds > 0 ? (Done - _first) / seconds : 0;
        return rate <= 0 ? share : $"{share}, {Speed(rate)}" + (_total > 0 ? $", {Text((_total - Done) / rate)} left" : "");
    }

    /// <summary>Speed alone, or an empty string before anything is known.</summary>
    public string Speed()
    {
        double seconds = time.GetElapsedTime(_start).TotalSeconds;
        double rate = seconds > 0 ? (Done - _first) / seconds : 0;
        return rate > 0 ? Speed(rate) : "";
    }

    private static string Speed(double rate) =>
        rate >= 1 ? rate.ToString("0.0", CultureInfo.InvariantCulture) + "/s" : (1 / rate).ToString("0.0", CultureInfo.InvariantCulture) + " s each";

    private static string Text(double seconds)
    {
        long whole = (long)Math.Min(Math.Round(seconds), 359_999_999);
        return whole < 60 ? $"{whole} s" : whole < 3600 ? $"{whole / 60} min {whole % 60:00} s" : $"{whole / 3600} h {whole % 3600 / 60:00} min";
    }
}
