namespace CoGrpo.Rl.Logging;

/// <summary>
/// Where a long piece of work tells how far it is. Calls come from one thread, in the order Begin, any number of the others, End;
/// one piece of work at a time. Implementations return quickly and never throw for display reasons.
/// </summary>
public interface IProgressReporter
{
    /// <summary>
    /// Starts a piece of work of <paramref name="total"/> units, of which <paramref name="done"/> were done by an earlier run (they do
    /// not count as speed); a piece that is still open is ended first.
    /// </summary>
    void Begin(string title, long total, long done = 0);

    /// <summary>So many units are done; <paramref name="message"/> is a few words on the latest one and may be empty.</summary>
    void Report(long done, string message);

    /// <summary>A line of metrics that stays visible.</summary>
    void Metrics(string line);

    /// <summary>Something the user should look at that does not stop the work.</summary>
    void Warning(string text);

    /// <summary>The piece of work is over, complete or not.</summary>
    void End();
}
