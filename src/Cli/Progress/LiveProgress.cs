using CoGrpo.Rl.Logging;
using Spectre.Console;

namespace CoGrpo.Cli.Progress;

/// <summary>Progress as a bar with speed and time left, for terminals.</summary>
internal sealed class LiveProgress(TextWriter writer) : IProgressReporter
{
    private readonly IAnsiConsole _console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(writer) });
    private readonly RateMeter _rate = new(TimeProvider.System);
    private TaskCompletionSource? _finished;
    private Task? _display;
    private ProgressTask? _task;
    private string _title = "";

    /// <inheritdoc/>
    public void Begin(string title, long total, long done = 0)
    {
        End();
        _title = title;
        _rate.Start(total, done);
        TaskCompletionSource finished = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource<ProgressTask> started = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _finished = finished;
        _display = Task.Run(() =>
            _console
                .Progress()
                .Columns(
                    new TaskDescriptionColumn { Alignment = Justify.Left },
                    new ProgressBarColumn(),
                    new PercentageColumn(),
                    new RemainingTimeColumn()
                )
                .StartAsync(async live =>
                {
                    started.SetResult(live.AddTask(Markup.Escape(title), maxValue: Math.Max(1, total)));
                    await finished.Task.ConfigureAwait(false);
                })
        );
        _task = started.Task.GetAwaiter().GetResult();
        _task.Value = done;
    }

    /// <inheritdoc/>
    public void Report(long done, string message)
    {
        _rate.Update(done);
        if (_task is { } task)
        {
            string text = string.Join("  ", new[] { _title, _rate.Speed(), message }.Where(part => part.Length > 0));
            task.Description = Markup.Escape(text);
            task.Value = done;
        }
    }

    /// <inheritdoc/>
    public void Metrics(string line) => _console.MarkupLine(Markup.Escape(line));

    /// <inheritdoc/>
    public void Warning(string text) => _console.MarkupLine($"[yellow]warning:[/] {Markup.Escape(text)}");

    /// <inheritdoc/>
    public void End()
    {
        _finished?.TrySetResult();
        _display?.GetAwaiter().GetResult();
        (_finished, _display, _task) = (null, null, null);
    }
}
