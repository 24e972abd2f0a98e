using CoGrpo.Rl.Logging;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Rl.Serving;

/// <summary>
/// Tells how many steps of all pictures are done, and stops between steps once cancelled. On a GPU steps are queued long before they run, and
/// repeated without a call: there a micro-batch is told as a whole.
/// </summary>
/// <param name="progress">Told in steps.</param>
/// <param name="total">Pictures in all.</param>
/// <param name="cancellation">Looked at before every step.</param>
internal sealed class DrawProgress(IProgressReporter progress, int total, CancellationToken cancellation) : ISampleObserver
{
    private int _first;
    private int _inCall;
    private string _prompt = "";

    /// <inheritdoc/>
    public int RecordingVersion => 0;

    /// <summary>The next call draws from picture <paramref name="picture"/> on, counted from 0.</summary>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public void Start(int picture, string prompt)
    {
        cancellation.ThrowIfCancellationRequested();
        (_first, _inCall, _prompt) = (picture, 0, prompt);
    }

    /// <inheritdoc/>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public void OnStep(in SampleStep step)
    {
        cancellation.ThrowIfCancellationRequested();
        progress.Report(((long)(_first + _inCall) * step.Steps) + step.Step, $"picture {_first + _inCall + 1} of {total}: {_prompt}");
    }

    /// <inheritdoc/>
    public void OnImages(int first, int count, int steps)
    {
        _inCall = first + count;
        progress.Report((long)(_first + _inCall) * steps, _prompt);
    }
}
