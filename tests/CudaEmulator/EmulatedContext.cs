using System.Runtime.InteropServices;
using CoGrpo.CudaEmulator.Checks;
using CoGrpo.CudaEmulator.Driver;
using CoGrpo.CudaEmulator.Execution;
using CoGrpo.CudaEmulator.Memory;
using CoGrpo.Runtime.Cuda;

namespace CoGrpo.CudaEmulator;

/// <summary>
/// A context of the emulated driver, behind the <c>CudaContext</c> that host code holds: what its kernels did, and what went wrong. Contexts
/// share nothing; each may be used by one thread at a time, as a driver context.
/// </summary>
public sealed unsafe class EmulatedContext
{
    private readonly HashSet<EmulatedStream> _streams = [];
    private readonly HashSet<object> _objects = [];
    private readonly Dictionary<nint, long> _host = [];
    private readonly List<LaunchRecording> _recordings = [];
    private readonly Dictionary<string, int> _assembled = new(StringComparer.Ordinal);
    private uint _launches;
    private bool _isDestroyed;

    internal EmulatedContext(EmulatedDevice device, EmulatorOptions options)
    {
        (Device, Options) = (device, options);
        Memory = new AddressSpace(options.Checks, options.CountUniqueSectors, (ulong)options.MemoryBytes);
        DefaultStream = new EmulatedStream(this, true);
    }

    /// <summary>How it was set up.</summary>
    public EmulatorOptions Options { get; }

    /// <summary>The first violation of a kernel in this context, after which it is lost; null as long as all is well.</summary>
    public Violation? Violation { get; private set; }

    /// <summary>Bytes allocated on the device.</summary>
    public long AllocatedBytes => (long)Memory.Used;

    internal EmulatedDevice Device { get; }

    internal AddressSpace Memory { get; }

    internal Lock Gate { get; } = new();

    internal EmulatedStream DefaultStream { get; }

    internal CudaResult StickyError { get; private set; }

    internal string StickyDetail { get; private set; } = "";

    internal bool IsDestroyed => _isDestroyed;

    internal IEnumerable<EmulatedStream> Streams => _streams;

    /// <summary>Runs everything that waits in the context's streams.</summary>
    /// <exception cref="CudaException">A kernel failed.</exception>
    public void Flush()
    {
        lock (Gate)
        {
            try
            {
                RunAll();
            }
            catch (DriverException error)
            {
                throw new CudaException(error.Message, error.Result);
            }
        }
    }

    /// <summary>
    /// Starts keeping a report of every launch, until the recording is disposed. Work queued before is run first and not part of it.
    /// </summary>
    public LaunchRecording Record()
    {
        Flush();
        LaunchRecording recording = new(this);
        lock (Gate)
        {
            _recordings.Add(recording);
        }

        return recording;
    }

    internal void Remove(LaunchRecording recording)
    {
        lock (Gate)
        {
            _recordings.Remove(recording);
        }
    }

    /// <summary>Runs all streams.</summary>
    internal void RunAll()
    {
        foreach (EmulatedStream stream in (EmulatedStream[])[.. _streams, DefaultStream])
        {
            stream.Run();
        }
    }

    /// <summary>Runs one piece of work; after a failure everything that comes is dropped.</summary>
    internal void Run(StreamCommand command)
    {
        if (StickyError != CudaResult.Success)
        {
            return;
        }

        try
        {
            command.Execute(this);
        }
        catch (DriverException error)
        {
            (StickyError, StickyDetail) = (error.Result, error.Message);
            throw;
        }
    }

    /// <summary>The region that holds a range.</summary>
    /// <exception cref="DriverException">None does.</exception>
    internal Region* RegionOf(ulong address, long bytes, string what)
    {
        Region* region = Memory.Find(address);
        if (region == null)
        {
            (RegionNote? nearest, RegionNote? freed) = Memory.Explain(address);
            throw new DriverException(CudaResult.InvalidValue, freed is not null ? $"{what}: address 0x{address:x} is in {freed}, which was freed"
                : $"{what}: address 0x{address:x} is not allocated{(nearest is null ? "" : $"; the nearest is {nearest}")}");
        }

        return address - region->Start + (ulong)bytes <= region->Bytes
            ? region
            : throw new DriverException(
                CudaResult.InvalidValue,
                $"{what}: {bytes} bytes from 0x{address:x} run over the end of {Memory.NoteOf(region)}"
            );
    }

    internal void Own(object value)
    {
        _objects.Add(value);
        if (value is EmulatedStream stream)
        {
            _streams.Add(stream);
        }
    }

    internal void Disown(object value)
    {
        _objects.Remove(value);
        if (value is EmulatedStream stream)
        {
            _streams.Remove(stream);
        }
    }

    internal nint AllocateHost(long bytes)
    {
        var address = (nint)NativeMemory.AlignedAlloc((nuint)bytes, 64);
        _host.Add(address, bytes);
        Memory.AddHost((byte*)address, (ulong)bytes);
        return address;
    }

    internal bool FreeHost(nint address)
    {
        if (!_host.Remove(address))
        {
            return false;
        }

        Memory.Free((ulong)address, RegionKind.Host);
        NativeMemory.AlignedFree((void*)address);
        return true;
    }

    /// <summary>Whether a range of host memory is page-locked.</summary>
    internal bool IsPageLocked(nint address, long bytes) => _host.Any(block => address >= block.Key && address + bytes <= block.Key + block.Value);

    /// <summary>Notes what an assembled binary says about its kernels.</summary>
    internal void NoteAssembled(IEnumerable<(string Kernel, int Registers)> kernels)
    {
        foreach ((string kernel, int registers) in kernels)
        {
            _assembled[kernel] = registers;
        }
    }

    internal int? AssembledRegisters(string kernel) => _assembled.TryGetValue(kernel, out int registers) ? registers : null;

    /// <summary>Runs a kernel.</summary>
    /// <exception cref="DriverException">It did something wrong.</exception>
    internal void Execute(EmulatedFunction function, Dim3 grid, Dim3 block, int sharedBytes, byte[] parameters, bool cooperative)
    {
        Compilation.KernelCode code = function.Code;
        if (Options.CountLines?.Invoke(code.Name) == true)
        {
            code.CountLines();
        }

        int threads = (int)block.Count;
        var buffer = (byte*)NativeMemory.AlignedAlloc((nuint)parameters.Length + 16, 64);
        parameters.CopyTo(new Span<byte>(buffer, parameters.Length));
        long occupancy = Math.Max(1, function.Occupancy(threads, sharedBytes));
        using Launch launch = new()
        {
            Code = code,
            GridSize = grid,
            BlockSize = block,
            DynamicShared = sharedBytes,
            Parameters = buffer,
            Options = Options,
            Memory = Memory,
            Number = ++_launches,
            Multiprocessors = Device.Multiprocessors,
            ResidentBlocks = cooperative ? grid.Count : Math.Min(grid.Count, occupancy * Device.Multiprocessors),
            GlobalFormat = new CellFormat((threads + 31) / 32, grid.Count),
            SharedFormat = new CellFormat((threads + 31) / 32, 1),
            Orderings = code.HasFences ? new BlockOrderings(grid.Count) : null,
        };
        LaunchReport report = LaunchRunner.Run(launch);
        if (launch.Violation is { } violation)
        {
            Violation = violation;
            throw new DriverException(DriverErrors.Of(violation.Kind), violation.ToString());
        }

        foreach (LaunchRecording recording in _recordings)
        {
            recording.Add(report);
        }
    }

    /// <summary>Ends the context.</summary>
    /// <exception cref="DriverException">Something was left in it.</exception>
    internal void Destroy()
    {
        if (StickyError == CudaResult.Success)
        {
            RunAll();
        }

        List<string> left = StickyError == CudaResult.Success && Options.Checks.HasFlag(EmulatorCheck.Leaks) ? Leaks() : [];
        _isDestroyed = true;
        foreach (EmulatedModule module in _objects.OfType<EmulatedModule>())
        {
            module.Dispose();
        }

        foreach (nint host in _host.Keys.ToArray())
        {
            FreeHost(host);
        }

        Memory.Dispose();
        if (left.Count > 0)
        {
            throw new DriverException(CudaResult.Unknown, $"leak: left when the context was closed: {string.Join("; ", left)}");
        }
    }

    private List<string> Leaks()
    {
        List<string> left = [.. Memory.Live.Where(note => note.Kind == RegionKind.Allocation).Select(note => note.ToString()!)];
        left.AddRange(_host.Select(block => $"page-locked memory of {block.Value} bytes"));
        left.AddRange(
            _objects
                .GroupBy(o => o.GetType().Name.Replace("Emulated", "", StringComparison.Ordinal).ToLowerInvariant())
                .Select(g => $"{g.Count()} {g.Key}{(g.Count() == 1 ? "" : "s")}")
        );
        return left;
    }
}
