namespace CoGrpo.Runtime.Cuda;

/// <summary>A queue of device work: what is put in runs in order.</summary>
public sealed unsafe class CudaStream : IDisposable
{
    private const uint NonBlocking = 1;
    private const int ThreadLocalCapture = 1;

    private readonly CudaContext _context;
    private nint _handle;

    /// <summary>An empty queue, not tied to the context's default one.</summary>
    public CudaStream(CudaContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        _context = context;
        context.MakeCurrent();
        nint handle = 0;
        context.Check(context.Driver.Functions.cuStreamCreate(&handle, NonBlocking), "making a stream");
        _handle = handle;
    }

    /// <summary>Whether work is being recorded into a graph instead of run.</summary>
    public bool IsCapturing { get; private set; }

    internal nint Handle => _handle;

    /// <summary>Waits until everything queued has run.</summary>
    /// <exception cref="CudaException">A kernel failed; or the stream is being recorded.</exception>
    public void Synchronize()
    {
        _context.MakeCurrent();
        _context.Check(_context.Driver.Functions.cuStreamSynchronize(_handle), "waiting for a stream");
    }

    /// <summary>
    /// Waits until everything queued has run, before something it uses is given back. Silent when the context is lost: that has been thrown before.
    /// </summary>
    public void Drain()
    {
        if (!_context.IsLost)
        {
            Synchronize();
        }
    }

    /// <summary>Makes later work wait for <paramref name="recorded"/>.</summary>
    public void Wait(CudaEvent recorded)
    {
        ArgumentNullException.ThrowIfNull(recorded);
        _context.MakeCurrent();
        _context.Check(_context.Driver.Functions.cuStreamWaitEvent(_handle, recorded.Handle, 0), "making a stream wait for an event");
    }

    /// <summary>
    /// Queues a copy from host to device. Page-locked memory must stay as it is until it has run; other memory is copied aside first and may not be
    /// recorded.
    /// </summary>
    public void CopyToDevice(nint host, ulong device, long bytes)
    {
        if (bytes > 0)
        {
            _context.MakeCurrent();
            _context.Check(
                _context.Driver.Functions.cuMemcpyHtoDAsync_v2(device, (void*)host, (nuint)bytes, _handle),
                $"copying {bytes} bytes to the device"
            );
        }
    }

    /// <summary>Queues a copy from device to host.</summary>
    public void CopyToHost(ulong device, nint host, long bytes)
    {
        if (bytes > 0)
        {
            _context.MakeCurrent();
            _context.Check(
                _context.Driver.Functions.cuMemcpyDtoHAsync_v2((void*)host, device, (nuint)bytes, _handle),
                $"copying {bytes} bytes from the device"
            );
        }
    }

    /// <summary>Queues a copy within the device.</summary>
    public void Copy(ulong source, ulong destination, long bytes)
    {
        if (bytes > 0)
        {
            _context.MakeCurrent();
            _context.Check(
                _context.Driver.Functions.cuMemcpyDtoDAsync_v2(destination, source, (nuint)bytes, _handle),
                $"copying {bytes} bytes on the device"
            );
        }
    }

    /// <summary>Queues filling <paramref name="words"/> 32-bit words with <paramref name="value"/>.</summary>
    public void Fill(ulong destination, uint value, long words)
    {
        if (words > 0)
        {
            _context.MakeCurrent();
            _context.Check(
                _context.Driver.Functions.cuMemsetD32Async(destination, value, (nuint)words, _handle),
                $"filling {words} words on the device"
            );
        }
    }

    /// <summary>Starts recording: work put in from here on is not run but becomes a graph.</summary>
    public void BeginCapture()
    {
        _context.MakeCurrent();
        _context.Check(_context.Driver.Functions.cuStreamBeginCapture_v2(_handle, ThreadLocalCapture), "starting to record a graph");
        IsCapturing = true;
    }

    /// <summary>Ends recording and returns the graph, owned by the caller.</summary>
    /// <exception cref="CudaException">The recording was broken by a call that cannot be part of one.</exception>
    public CudaGraph EndCapture()
    {
        _context.MakeCurrent();
        IsCapturing = false;
        nint graph = 0;
        _context.Check(_context.Driver.Functions.cuStreamEndCapture(_handle, &graph), "ending the recording of a graph");
        return new CudaGraph(_context, graph);
    }

    /// <summary>Destroys the queue; what is in it still runs.</summary>
    public void Dispose()
    {
        if (_handle == 0)
        {
            return;
        }

        nint handle = _handle;
        _handle = 0;
        _context.MakeCurrent();
        _context.Release(_context.Driver.Functions.cuStreamDestroy_v2(handle), "destroying a stream");
    }
}
