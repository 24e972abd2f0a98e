namespace CoGrpo.CudaEmulator.Driver;

/// <summary>
/// A graph under recording, by one stream and those that joined it through events. Every stream of it knows which of the recorded work lies before
/// its next: what it recorded itself and what the events it waited for had before them. The recording is complete when nothing lies outside what its
/// first stream knows.
/// </summary>
internal sealed class CaptureSession
{
    private readonly Dictionary<EmulatedStream, HashSet<int>> _before = [];

    public CaptureSession(EmulatedStream origin)
    {
        Origin = origin;
        _before.Add(origin, []);
        origin.Capture = this;
    }

    public EmulatedStream Origin { get; }

    /// <summary>The thread that records.</summary>
    public int Thread { get; } = Environment.CurrentManagedThreadId;

    public List<StreamCommand> Nodes { get; } = [];

    /// <summary>Why the recording is broken, or null.</summary>
    public string? Broken { get; set; }

    /// <summary>Whether it is over.</summary>
    public bool IsOver { get; private set; }

    /// <summary>Whether there is recorded work that the origin does not wait for.</summary>
    public bool HasUnjoined => _before[Origin].Count < Nodes.Count;

    /// <summary>Records work of a stream.</summary>
    public void Add(EmulatedStream stream, StreamCommand command)
    {
        _before[stream].Add(Nodes.Count);
        Nodes.Add(command);
    }

    /// <summary>What lies before an event recorded on a stream now.</summary>
    public int[] Before(EmulatedStream stream) => [.. _before[stream]];

    /// <summary>A stream waits for an event of the recording, and becomes part of it if it is not yet.</summary>
    public void Join(EmulatedStream stream, int[] before)
    {
        if (!_before.TryGetValue(stream, out HashSet<int>? known))
        {
            _before.Add(stream, known = []);
            stream.Capture = this;
        }

        known.UnionWith(before);
    }

    /// <summary>Ends it, whether it succeeded or not: all its streams are as before.</summary>
    public void End()
    {
        IsOver = true;
        foreach (EmulatedStream stream in _before.Keys)
        {
            stream.Capture = null;
        }
    }
}
