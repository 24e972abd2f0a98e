using CoGrpo.Runtime.Cuda;

namespace CoGrpo.Runtime.Backends.Cuda;

/// <summary>
/// Device memory for partial results within one operation, reused by the next: operations run in order on one stream, so it is never in use
/// twice. Grows while a run warms up.
/// </summary>
internal sealed class DeviceWorkspace : IDisposable
{
    private readonly CudaContext _context;
    private readonly CudaStream _stream;
    private CudaDeviceMemory? _memory;

    public DeviceWorkspace(CudaContext context, CudaStream stream) => (_context, _stream) = (context, stream);

    /// <summary>Bytes held.</summary>
    public long Bytes => _memory?.Bytes ?? 0;

    /// <summary>Address of at least <paramref name="bytes"/> bytes, undefined content, valid until the next call.</summary>
    /// <exception cref="InvalidOperationException">It would have to grow while a graph is recorded.</exception>
    /// <exception cref="OutOfMemoryException">The device has no memory left.</exception>
    public nint Take(long bytes)
    {
        if (bytes <= Bytes)
        {
            return (nint)_memory!.Address;
        }

        if (_stream.IsCapturing)
        {
            throw new InvalidOperationException($"workspace: wanted {bytes} bytes while a graph is recorded, has {Bytes}; run the same work once before recording");
        }

        if (_memory is not null)
        {
            _stream.Synchronize();
            _memory.Dispose();
            _memory = null;
        }

        try
        {
            _memory = new CudaDeviceMemory(_context, Math.Max(bytes, 1 << 20), "workspace");
        }
        catch (CudaException error) when (error.Result == CudaResult.OutOfMemory)
        {
            throw new OutOfMemoryException(error.Message);
        }

        return (nint)_memory.Address;
    }

    public void Dispose() => _memory?.Dispose();
}
