namespace CoGrpo.Rl.Logging;

/// <summary>Tells nobody; for callers that do not want progress.</summary>
public sealed class SilentProgress : IProgressReporter
{
    /// <inheritdoc/>
    public void Begin(string title, long total, long done = 0)
    {
    }

    /// <inheritdoc/>
    public void Report(long done, string message)
    {
    }

    /// <inheritdoc/>
    public void Metrics(string line)
    {
    }

    /// <inheritdoc/>
    public void Warning(string text)
    {
    }

    /// <inheritdoc/>
    public void End()
    {
    }
}
