using CoGrpo.CudaEmulator;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends.Cuda;
using CoGrpo.Runtime.Cuda;
using CoGrpo.Tests.Runtime.OperationTable;

namespace CoGrpo.Tests.Cuda;

/// <summary>
/// CUDA backends on emulated devices, one per architecture and storage type, made when they are first asked for and used by many tests, as
/// loading kernels takes longer than most of them. One in which a kernel failed is lost and made anew.
/// </summary>
public sealed class EmulatedBackend : IDisposable
{
    private readonly Dictionary<(CudaArchitecture, ElementType), CudaBackend> _backends = [];

    internal static CudaArchitecture Sm75 => new(7, 5);

    internal static CudaArchitecture Sm80 => new(8, 0);

    /// <summary>Closes the devices; what kernels or launchers left in them is an error here.</summary>
    public void Dispose()
    {
        foreach (CudaBackend backend in _backends.Values)
        {
            backend.Dispose();
        }

        _backends.Clear();
    }

    /// <summary>A backend of its own, for the caller to dispose.</summary>
    internal static CudaBackend Create(CudaArchitecture architecture, ElementType storage, EmulatorOptions? options = null)
    {
        using IDisposable configured = EmulatedMachine.Configure(options ?? new EmulatorOptions());
        return new CudaBackend(
            new CudaDevice(EmulatedMachine.Driver, EmulatedMachine.OrdinalOf(architecture)),
            new CudaBackendOptions { Storage = storage },
            TestCompilers.Kernels
        );
    }

    /// <summary>Runs a test on a shared backend.</summary>
    internal void Use(CudaArchitecture architecture, ElementType storage, Action<CudaBackend> test)
    {
        if (!_backends.TryGetValue((architecture, storage), out CudaBackend? backend))
        {
            backend = Create(architecture, storage);
            _backends.Add((architecture, storage), backend);
        }

        try
        {
            test(backend);
        }
        catch (CudaException)
        {
            // Nothing more can be done with the context, closing it included.
            _backends.Remove((architecture, storage));
            throw;
        }
    }

    /// <summary>The memory of the context that is current on this thread.</summary>
    internal sealed class MemoryWatch : IMemoryWatch
    {
        public void Forbid(nint address, long bytes) => EmulatedMemory.Poison((ulong)address, bytes);

        public void Undefine(nint address, long bytes) => EmulatedMemory.MarkUninitialized((ulong)address, bytes);
    }
}
