using CoGrpo.Runtime.Cuda;

namespace CoGrpo.Runtime.Backends.Cuda;

/// <summary>
/// Device memory for partial results within one operation, reused by the next: operations run in order on one stream, so it is never in use
/// twice. Grows while a run warms up; what it had before stays allocated, because recorded work goes on using it.
/// </summary>
internal sealed class DeviceWorkspace : IDisposable
{
    private readonly CudaContext _context;
    private readonly CudaStream _stream;
    private readonly List<CudaDeviceMemory> _outgrown = [];
    private CudaDeviceMemory? _memory;

    public DeviceWorkspace(CudaContext context, CudaStream stream) => (_context, _stream) = (context, stream);

    /// <summary>Bytes held.</summary>
    public long Bytes => Room + _outgrown.Sum(memory => memory.Bytes);

    /// <summary>
    /// The size that a workspace of <paramref name="room"/> bytes grows to when <paramref name="bytes"/> are asked for: twice as much at least, so
    /// that all that is outgrown together is less than what is used.
    /// </summary>
    public static long Grown(long room, long bytes) => Math.Max(Math.Max(bytes, 2 * room), 1 << 20);

    private long Room => _memory?.Bytes ?? 0;

    /// <summary>Address of at least <paramref name="bytes"/> bytes, undefined content, valid until the next call.</summary>
    /// <exception cref="InvalidOperationException">It would have to grow while a graph is recorded.</exception>
    /// <exception cref="OutOfMemoryException">The device has no memory left.</exception>
    public nint Take(long bytes)
    {
        if (bytes <= Room)
        {
            return (nint)_memory!.Address;
        }

        if (_stream.IsCapturing)
        {
            throw new InvalidOperationException(
                $"workspace: wanted {bytes} bytes while a graph is recorded, has {Room}; run the same work once before recording"
            );
        }

        try
        {
            var memory = new CudaDeviceMemory(_context, Grown(Room, bytes), "workspace");
            if (_memory is not null)
            {
                _outgrown.Add(_memory);
            }

            _memory = memory;
        }
        catch (CudaException error) when (error.Result == CudaResult.OutOfMemory)
        {
            throw new OutOfMemoryException(error.Message);
        }

        return (nint)_memory.Address;
    }

    public void Dispose()
    {
        _memory?.Dispose();
        foreach (CudaDeviceMemory memory in _outgrown)
        {
            memory.Dispose();
        }
    }
}
