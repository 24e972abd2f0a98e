namespace CoGrpo.CudaEmulator.Driver;

/// <summary>A queue of work. Nothing runs before something waits for it, unless the context is immediate.</summary>
internal sealed class EmulatedStream(EmulatedContext context, bool isBlocking)
{
    private readonly Queue<StreamCommand> _queue = new();

    public EmulatedContext Context { get; } = context;

    /// <summary>Whether it waits for the default stream and that one for it.</summary>
    public bool IsBlocking { get; } = isBlocking;

    /// <summary>The recording it is part of, or null.</summary>
    public CaptureSession? Capture { get; set; }

    public bool IsIdle => _queue.Count == 0;

    /// <summary>Queues work, or records it.</summary>
    public void Add(StreamCommand command)
    {
        if (Capture is { } session)
        {
            session.Add(command);
            return;
        }

        _queue.Enqueue(command);
        if (Context.Options.Immediate)
        {
            Run();
        }
    }

    /// <summary>Runs everything queued.</summary>
    public void Run()
    {
        while (_queue.TryDequeue(out StreamCommand? command))
        {
            Context.Run(command);
        }
    }

    /// <summary>Runs what is queued up to a mark.</summary>
    public void RunUntil(RecordCommand mark)
    {
        while (!mark.IsReached && _queue.TryDequeue(out StreamCommand? command))
        {
            Context.Run(command);
        }
    }

    /// <summary>Runs one piece of work, as time passes while someone asks whether all is done.</summary>
    public void Step()
    {
        if (_queue.TryDequeue(out StreamCommand? command))
        {
            Context.Run(command);
        }
    }
}

/// <summary>A mark that can be put into streams.</summary>
internal sealed class EmulatedEvent(EmulatedContext context)
{
    public EmulatedContext Context { get; } = context;

    /// <summary>The last mark; null when it was never recorded.</summary>
    public RecordCommand? Mark { get; set; }

    /// <summary>The recording in which it was last recorded, or null.</summary>
    public CaptureSession? Capture { get; set; }

    /// <summary>The stream of that recording it was recorded on.</summary>
    public EmulatedStream? CaptureStream { get; set; }
}

/// <summary>A graph under recording, by one stream and those that joined it through events.</summary>
internal sealed class CaptureSession(EmulatedStream origin)
{
    private readonly HashSet<EmulatedStream> _joined = [];

    public EmulatedStream Origin { get; } = origin;

    /// <summary>The thread that records.</summary>
    public int Thread { get; } = Environment.CurrentManagedThreadId;

    public List<StreamCommand> Nodes { get; } = [];

    /// <summary>Why the recording is broken, or null.</summary>
    public string? Broken { get; set; }

    /// <summary>Whether streams that joined have work the origin does not wait for.</summary>
    public bool HasUnjoined => _joined.Count > 0;

    public void Add(StreamCommand command) => Nodes.Add(command);

    /// <summary>A stream waits for an event of the recording and becomes part of it; the origin waits for one and so takes it in.</summary>
    public void Join(EmulatedStream stream, EmulatedStream from)
    {
        if (stream == Origin)
        {
            _joined.Remove(from);
        }
        else
        {
            stream.Capture = this;
            _joined.Add(stream);
        }
    }

    /// <summary>Frees all streams of the recording.</summary>
    public void Release()
    {
        Origin.Capture = null;
        foreach (EmulatedStream stream in _joined)
        {
            stream.Capture = null;
        }
    }
}

/// <summary>Recorded work.</summary>
internal sealed class EmulatedGraph(EmulatedContext context, IReadOnlyList<StreamCommand> nodes)
{
    public EmulatedContext Context { get; } = context;

    public IReadOnlyList<StreamCommand> Nodes { get; } = nodes;
}

/// <summary>A graph prepared for launching.</summary>
internal sealed class EmulatedGraphExec(EmulatedContext context, IReadOnlyList<StreamCommand> nodes)
{
    public EmulatedContext Context { get; } = context;

    public IReadOnlyList<StreamCommand> Nodes { get; } = nodes;
}
