using CoGrpo.Runtime.Cuda;

namespace CoGrpo.Runtime.Backends.Cuda;

/// <summary>
/// Uploads from any host memory without waiting for the device: values are copied into one half of a page-locked ring, from where they
/// travel in stream order; a half is written again only when its copies have run.
/// </summary>
internal sealed unsafe class HostStaging : IDisposable
{
    private const long HalfBytes = 4 << 20;
    private const long Alignment = 16;

    private readonly CudaStream _stream;
    private readonly CudaHostMemory _ring;
    private readonly CudaEvent[] _used;
    private readonly bool[] _pending = new bool[2];
    private int _half;
    private long _offset;

    public HostStaging(CudaContext context, CudaStream stream)
    {
        _stream = stream;
        _ring = new CudaHostMemory(context, 2 * HalfBytes);
        _used = [new CudaEvent(context), new CudaEvent(context)];
    }

    /// <exception cref="InvalidOperationException">A graph is being recorded: the values would be read again at every launch, long after they are
    /// gone.</exception>
    public void Upload(nint source, ulong destination, long bytes)
    {
        if (_stream.IsCapturing)
        {
            throw new InvalidOperationException("upload: wanted no upload while a graph is recorded, got one; upload before recording");
        }

        while (bytes > 0)
        {
            if (_offset == HalfBytes)
            {
                Turn();
            }

            long part = Math.Min(bytes, HalfBytes - _offset);
            nint staged = _ring.Address + (nint)((_half * HalfBytes) + _offset);
            Buffer.MemoryCopy((void*)source, (void*)staged, part, part);
            _stream.CopyToDevice(staged, destination, part);
            _offset = Math.Min(HalfBytes, (_offset + part + Alignment - 1) / Alignment * Alignment);
            source += (nint)part;
            destination += (ulong)part;
            bytes -= part;
        }
    }

    public void Dispose()
    {
        foreach (CudaEvent used in _used)
        {
            used.Dispose();
        }

        _ring.Dispose();
    }

    private void Turn()
    {
        _used[_half].Record(_stream);
        _pending[_half] = true;
        _half = 1 - _half;
        _offset = 0;
        if (_pending[_half])
        {
            _used[_half].Synchronize();
            _pending[_half] = false;
        }
    }
}
