namespace CoGrpo.Cli;

/// <summary>The first Ctrl-C asks the command to save and stop, the second ends the process at once.</summary>
internal sealed class Interruption : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly TextWriter _error;

    /// <summary>Listens until disposed.</summary>
    public Interruption(TextWriter error)
    {
        _error = error;
        Console.CancelKeyPress += OnKey;
    }

    /// <summary>Cancelled by the first Ctrl-C.</summary>
    public CancellationToken Token => _source.Token;

    /// <inheritdoc/>
    public void Dispose()
    {
        Console.CancelKeyPress -= OnKey;
        _source.Dispose();
    }

    /// <summary>One Ctrl-C; true if the process is to go on for now.</summary>
    internal bool Press()
    {
        if (_source.IsCancellationRequested)
        {
            return false;
        }

        _error.WriteLine("stopping at the next safe point; Ctrl-C again quits at once");
        _source.Cancel();
        return true;
    }

    private void OnKey(object? sender, ConsoleCancelEventArgs key)
    {
        if (Press())
        {
            key.Cancel = true;
        }
        else
        {
            Environment.Exit(ExitCode.Interrupted);
        }
    }
}
