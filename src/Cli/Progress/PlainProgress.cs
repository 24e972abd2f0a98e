using CoGrpo.Rl.Logging;

namespace CoGrpo.Cli.Progress;

/// <summary>Progress as plain lines, for pipes and log files: one at the start, one every few seconds, one at the end.</summary>
internal sealed class PlainProgress(TextWriter writer, TimeProvider time) : IProgressReporter
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private readonly RateMeter _rate = new(time);
    private string _title = "";
    private long _lastLine;
    private long _lastDone = -1;
    private string _message = "";
    private bool _open;

    /// <inheritdoc/>
    public void Begin(string title, long total, long done = 0)
    {
        End();
        (_title, _open, _lastDone, _message) = (title, true, done, "");
        _rate.Start(total, done);
        _lastLine = time.GetTimestamp();
        writer.WriteLine($"{title}: {done}/{total}");
        writer.Flush();
    }

    /// <inheritdoc/>
    public void Report(long done, string message)
    {
        _rate.Update(done);
        _message = message;
        if (_open && time.GetElapsedTime(_lastLine) >= Interval)
        {
            Line();
        }
    }

    /// <inheritdoc/>
    public void Metrics(string line)
    {
        writer.WriteLine(line);
        writer.Flush();
    }

    /// <inheritdoc/>
    public void Warning(string text)
    {
        writer.WriteLine($"warning: {text}");
        writer.Flush();
    }

    /// <inheritdoc/>
    public void End()
    {
        if (_open && _rate.Done != _lastDone)
        {
            Line();
        }

        _open = false;
    }

    private void Line()
    {
        _lastLine = time.GetTimestamp();
        _lastDone = _rate.Done;
        string message = _message.Length == 0 ? "" : $", {_message}";
        writer.WriteLine($"{_title}: {_rate.Describe()}{message}");
        writer.Flush();
    }
}
