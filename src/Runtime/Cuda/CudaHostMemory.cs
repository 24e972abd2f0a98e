namespace CoGrpo.Runtime.Cuda;

/// <summary>Page-locked host memory: copies between it and the device run beside other work and may be part of a graph.</summary>
public sealed unsafe class CudaHostMemory : IDisposable
{
    private readonly CudaContext _context;

    /// <summary>Allocates <paramref name="bytes"/>; the content is undefined.</summary>
    /// <exception cref="CudaException">The system has no such memory left.</exception>
    public CudaHostMemory(CudaContext context, long bytes)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytes);
        _context = context;
        context.MakeCurrent();
        void* address = null;
        context.Check(context.Driver.Functions.cuMemHostAlloc(&address, (nuint)bytes, 0), $"allocating {bytes} bytes of page-locked host memory");
        Address = (nint)address;
        Bytes = bytes;
    }

    /// <summary>Host address of the first byte; 0 after disposal.</summary>
    public nint Address { get; private set; }

    /// <summary>Size.</summary>
    public long Bytes { get; }

    /// <summary>Frees the memory; copies that use it must be over.</summary>
    public void Dispose()
    {
        if (Address == 0)
        {
            return;
        }

        nint address = Address;
        Address = 0;
        _context.MakeCurrent();
        _context.Release(_context.Driver.Functions.cuMemFreeHost((void*)address), "freeing page-locked host memory");
    }
}
