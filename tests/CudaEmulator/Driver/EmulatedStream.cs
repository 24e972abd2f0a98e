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
            session.Add(this, command);
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

    /// <summary>Work of that recording that lies before it.</summary>
    public int[] CaptureBefore { get; set; } = [];
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
