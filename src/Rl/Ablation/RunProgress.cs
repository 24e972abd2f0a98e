using CoGrpo.Rl.Logging;

namespace CoGrpo.Rl.Ablation;

/// <summary>Progress of one run among many: every piece of work is told with the run's place and name.</summary>
internal sealed class RunProgress(IProgressReporter inner, string prefix) : IProgressReporter
{
    /// <inheritdoc/>
    public void Begin(string title, long total, long done = 0) => inner.Begin($"{prefix}: {title}", total, done);

    /// <inheritdoc/>
    public void Report(long done, string message) => inner.Report(done, message);

    /// <inheritdoc/>
    public void Metrics(string line) => inner.Metrics($"{prefix}: {line}");

    /// <inheritdoc/>
    public void Warning(string text) => inner.Warning($"{prefix}: {text}");

    /// <inheritdoc/>
    public void End() => inner.End();
}
