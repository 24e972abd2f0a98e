namespace CoGrpo.Runtime.Cuda;

/// <summary>Recorded device work: kernels, copies and fills with the arguments they were recorded with.</summary>
public sealed unsafe class CudaGraph : IDisposable
{
    private readonly CudaContext _context;
    private nint _handle;

    internal CudaGraph(CudaContext context, nint handle) => (_context, _handle) = (context, handle);

    /// <summary>Number of recorded pieces of work.</summary>
    public int NodeCount
    {
        get
        {
            _context.MakeCurrent();
            nuint count = 0;
            _context.Check(_context.Driver.Functions.cuGraphGetNodes(_handle, null, &count), "counting the nodes of a graph");
            return (int)count;
        }
    }

    /// <summary>Prepares the graph for launching; the result is owned by the caller and does not need the graph any more.</summary>
    public CudaGraphExec Instantiate()
    {
        _context.MakeCurrent();
        nint executable = 0;
        _context.Check(_context.Driver.Functions.cuGraphInstantiateWithFlags(&executable, _handle, 0), "preparing a graph");
        return new CudaGraphExec(_context, executable, NodeCount);
    }

    /// <summary>Destroys the recording.</summary>
    public void Dispose()
    {
        if (_handle == 0)
        {
            return;
        }

        nint handle = _handle;
        _handle = 0;
        _context.MakeCurrent();
        _context.Release(_context.Driver.Functions.cuGraphDestroy(handle), "destroying a graph");
    }
}

/// <summary>A graph that can be launched any number of times, one call each.</summary>
public sealed unsafe class CudaGraphExec : IDisposable
{
    private readonly CudaContext _context;
    private nint _handle;

    internal CudaGraphExec(CudaContext context, nint handle, int nodes) => (_context, _handle, NodeCount) = (context, handle, nodes);

    /// <summary>Number of pieces of work in it.</summary>
    public int NodeCount { get; }

    /// <summary>Queues the whole graph on <paramref name="stream"/>.</summary>
    public void Launch(CudaStream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        _context.MakeCurrent();
        _context.Check(_context.Driver.Functions.cuGraphLaunch(_handle, stream.Handle), "launching a graph");
    }

    /// <summary>Destroys it; launches that run still finish.</summary>
    public void Dispose()
    {
        if (_handle == 0)
        {
            return;
        }

        nint handle = _handle;
        _handle = 0;
        _context.MakeCurrent();
        _context.Release(_context.Driver.Functions.cuGraphExecDestroy(handle), "destroying a graph");
    }
}
