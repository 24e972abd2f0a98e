using CoGrpo.Runtime.Cuda;
using CoGrpo.Runtime.Cuda.Kernels;

namespace CoGrpo.Runtime.Backends.Cuda;

/// <summary>
/// The CUDA implementation of the operation set: hand-written kernels compiled by NVRTC, one file per operation on both sides. Activations
/// are stored in bf16 or fp32, sums and statistics in fp32, gradients of parameters in fp32. All work runs in order on one stream;
/// operations return when they are queued. Driven by one thread at a time.
/// </summary>
public sealed unsafe partial class CudaBackend : IBackend, IArenaMemory
{
    private readonly CudaContext _context;
    private readonly CudaStream _stream;
    private readonly KernelLibrary _kernels;
    private readonly CudaBackendOptions _options;
    private readonly HostStaging _staging;
    private readonly DeviceWorkspace _workspace;
    private readonly CublasLt? _cublas;
    private readonly Dictionary<nint, CudaDeviceMemory> _blocks = [];

    /// <summary>A backend with a context of its own on <paramref name="device"/>.</summary>
    /// <param name="device">The device.</param>
    /// <param name="options">How the backend works.</param>
    /// <param name="compiler">Source of the kernels; this machine's by default.</param>
    /// <param name="cublas">Makes cuBLASLt in the context that is current; asked only when the options want it. The machine's library by
    /// default.</param>
    /// <exception cref="CudaException">The device is not available, lacks bf16 although the options ask for it, or cuBLASLt is wanted and
    /// missing.</exception>
    public CudaBackend(CudaDevice device, CudaBackendOptions? options = null, KernelCompiler? compiler = null, Func<CublasLt>? cublas = null)
    {
        ArgumentNullException.ThrowIfNull(device);
        _options = options ?? new CudaBackendOptions();
        if (_options.Storage is not (ElementType.Float32 or ElementType.BFloat16))
        {
            throw new CudaException($"CUDA storage: wanted Float32 or BFloat16, got {_options.Storage}; choose one of them");
        }

        if (_options.Storage == ElementType.BFloat16 && !device.Architecture.HasBFloat16)
        {
            throw new CudaException($"{device.Name}: bf16 storage needs sm_80 or later, this is {device.Architecture}; set precision to fp32");
        }

        Device = device;
        SharedMemoryPerBlock = device.Attribute(CudaDeviceAttribute.MaxSharedMemoryPerBlockOptin);
        KernelCompiler source = compiler ?? KernelCompiler.Default();
        _context = new CudaContext(device);
        _stream = new CudaStream(_context);
        _kernels = new KernelLibrary(_context, source);
        _staging = new HostStaging(_context, _stream);
        _workspace = new DeviceWorkspace(_context, _stream);
        try
        {
            _cublas = _options.Gemm == GemmName.Cublas ? (cublas ?? CublasLt.Load)() : null;
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <inheritdoc cref="IBackend.Name"/>
    public string Name => "cuda";

    /// <inheritdoc cref="IBackend.Storage"/>
    public ElementType Storage => _options.Storage;

    /// <summary>The device.</summary>
    public CudaDevice Device { get; }

    /// <summary>Shared memory of a block in bytes that a kernel can ask for.</summary>
    private int SharedMemoryPerBlock { get; }

    /// <summary>Bytes of device memory held for partial results of operations.</summary>
    public long WorkspaceBytes => _workspace.Bytes;

    /// <inheritdoc cref="IBackend.Memory"/>
    public MemoryLedger Memory { get; } = new();

    /// <inheritdoc cref="IBackend.CreateArena"/>
    public Arena CreateArena(string name, long blockBytes) => new(name, this, blockBytes);

    /// <inheritdoc cref="IBackend.Upload"/>
    public void Upload<T>(ReadOnlySpan<T> source, Tensor destination)
        where T : unmanaged
    {
        Require.That(
            sizeof(T) == destination.Type.Size() && source.Length == destination.Shape.Count && destination.IsContiguous,
            nameof(destination),
            destination,
            $"{source.Length} adjacent elements of {sizeof(T)} bytes"
        );
        fixed (T* host = source)
        {
            _staging.Upload((nint)host, (ulong)destination.Address, (long)source.Length * sizeof(T));
        }
    }

    /// <inheritdoc cref="IBackend.Download"/>
    public void Download<T>(Tensor source, Span<T> destination)
        where T : unmanaged
    {
        Require.That(sizeof(T) == source.Type.Size() && destination.Length == source.Shape.Count && source.IsContiguous, nameof(source),
            source, $"{destination.Length} adjacent elements of {sizeof(T)} bytes");
        fixed (T* host = destination)
        {
            _stream.CopyToHost((ulong)source.Address, (nint)host, (long)destination.Length * sizeof(T));
        }

        _stream.Synchronize();
    }

    /// <summary>Waits until everything queued has run; failures of kernels come out here at the latest.</summary>
    /// <exception cref="CudaException">A kernel failed.</exception>
    public void Synchronize() => _stream.Synchronize();

    /// <summary>Seconds that the device spends on what <paramref name="work"/> queues, without the time it takes to queue the first of it.</summary>
    /// <exception cref="CudaException">A kernel failed.</exception>
    internal double Time(Action work)
    {
        using CudaEvent start = new(_context), end = new(_context);
        start.Record(_stream);
        work();
        end.Record(_stream);
        end.Synchronize();
        return end.MillisecondsSince(start) / 1000;
    }

    /// <inheritdoc/>
    nint IArenaMemory.Reserve(string arena, long bytes)
    {
        try
        {
            var memory = new CudaDeviceMemory(_context, bytes, $"arena {arena}");
            _blocks.Add((nint)memory.Address, memory);
            Memory.Add(arena, bytes);
            return (nint)memory.Address;
        }
        catch (CudaException error) when (error.Result == CudaResult.OutOfMemory)
        {
            throw new OutOfMemoryException(error.Message);
        }
    }

    /// <inheritdoc/>
    void IArenaMemory.Free(string arena, nint address, long bytes)
    {
        if (_blocks.Remove(address, out CudaDeviceMemory? memory))
        {
            // What still runs may use the block.
            _stream.Drain();
            memory.Dispose();
            Memory.Add(arena, -bytes);
        }
    }

    /// <summary>Waits for the device and closes the context; arenas that were not disposed lose their memory with it.</summary>
    /// <exception cref="CudaException">A kernel failed and no call has said so yet; everything is given back all the same.</exception>
    public void Dispose()
    {
        try
        {
            _stream.Drain();
        }
        finally
        {
            _cublas?.Dispose();
            _workspace.Dispose();
            _staging.Dispose();
            _kernels.Dispose();
            _stream.Dispose();
            foreach (CudaDeviceMemory memory in _blocks.Values)
            {
                memory.Dispose();
            }

            _blocks.Clear();
            _context.Dispose();
        }
    }

    private void Launch<TArguments>(KernelName<TArguments> name, Dim3 grid, Dim3 block, in TArguments arguments, int sharedBytes = 0)
        where TArguments : unmanaged
    {
        CudaKernel<TArguments> kernel = _kernels.Get(name);
        kernel.Launch(_stream, grid, block, in arguments, sharedBytes);
        if (_options.CheckEveryLaunch && !_stream.IsCapturing)
        {
            try
            {
                _stream.Synchronize();
            }
            catch (CudaException error)
            {
                throw new CudaException($"kernel {name.Name}, grid {grid}, block {block}, arguments {arguments}: {error.Message}", error.Result);
            }
        }
    }

    /// <summary>Ceiling of the quotient.</summary>
    private static long Blocks(long count, long size) => (count + size - 1) / size;

    /// <summary>
    /// Whether every row of the tensor can be moved in 16-byte pieces; a matter of the layout alone, so that parts of a batch take the same path.
    /// </summary>
    private static bool HasVectors(Tensor x)
    {
        int elements = RunLength(x.Type);
        return x.Address % 16 == 0 && x.Columns % elements == 0 && x.RowStride % elements == 0;
    }
}
