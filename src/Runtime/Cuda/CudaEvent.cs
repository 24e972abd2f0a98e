namespace CoGrpo.Runtime.Cuda;

/// <summary>A mark in a stream: to wait for, and to measure time between two.</summary>
public sealed unsafe class CudaEvent : IDisposable
{
    private readonly CudaContext _context;
    private nint _handle;

    /// <summary>An event that nothing has recorded yet.</summary>
    public CudaEvent(CudaContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        _context = context;
        context.MakeCurrent();
        nint handle = 0;
        context.Check(context.Driver.Functions.cuEventCreate(&handle, 0), "making an event");
        _handle = handle;
    }

    internal nint Handle => _handle;

    /// <summary>Puts the mark behind everything queued on <paramref name="stream"/> so far.</summary>
    public void Record(CudaStream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        _context.MakeCurrent();
        _context.Check(_context.Driver.Functions.cuEventRecord(_handle, stream.Handle), "recording an event");
    }

    /// <summary>Waits until the mark is reached.</summary>
    public void Synchronize()
    {
        _context.MakeCurrent();
        _context.Check(_context.Driver.Functions.cuEventSynchronize(_handle), "waiting for an event");
    }

    /// <summary>Milliseconds from <paramref name="start"/> to this event, both reached, with a resolution of about half a microsecond.</summary>
    public float MillisecondsSince(CudaEvent start)
    {
        ArgumentNullException.ThrowIfNull(start);
        _context.MakeCurrent();
        float milliseconds = 0;
        _context.Check(_context.Driver.Functions.cuEventElapsedTime(&milliseconds, start._handle, _handle), "measuring the time between events");
        return milliseconds;
    }

    /// <summary>Destroys the event.</summary>
    public void Dispose()
    {
        if (_handle == 0)
        {
            return;
        }

        nint handle = _handle;
        _handle = 0;
        _context.MakeCurrent();
        _context.Release(_context.Driver.Functions.cuEventDestroy_v2(handle), "destroying an event");
    }
}
