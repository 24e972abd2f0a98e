using System.Runtime.InteropServices;
using System.Text;
using CoGrpo.CudaEmulator;
using CoGrpo.Runtime.Cuda;
using CoGrpo.Tests.Cuda;

namespace CoGrpo.Tests.Emulator;

/// <summary>
/// A small CUDA program on an emulated device: compiles, loads, allocates, launches. Every instance has a context of its own, which must be
/// empty in the end, so that leaks of the driver's own bookkeeping show.
/// </summary>
internal sealed unsafe class DeviceProgram : IDisposable
{
    private readonly List<CudaDeviceMemory> _memory = [];
    private readonly LaunchRecording _recording;

    public DeviceProgram(
        string source,
        string architecture = "sm_80",
        bool old = false,
        EmulatorOptions? options = null,
        params string[] compilerOptions
    )
        : this(TestNvrtc.Compile(source, architecture, old, compilerOptions).Ptx, architecture, options) { }

    private DeviceProgram(byte[] ptx, string architecture, EmulatorOptions? options)
    {
        using (EmulatedMachine.Configure(options ?? new EmulatorOptions()))
        {
            Context = new CudaContext(new CudaDevice(EmulatedMachine.Driver, EmulatedMachine.OrdinalOf(CudaArchitecture.Parse(architecture))));
        }

        Emulated = EmulatedMachine.CurrentContext;
        _recording = Emulated.Record();
        Stream = new CudaStream(Context);
        Module = new CudaModule(Context, "test", ptx);
    }

    public CudaContext Context { get; }

    public EmulatedContext Emulated { get; }

    public CudaStream Stream { get; }

    public CudaModule Module { get; }

    /// <summary>Reports of all launches so far.</summary>
    public IReadOnlyList<LaunchReport> Launches => _recording.Launches;

    /// <summary>A program of PTX text.</summary>
    public static DeviceProgram FromPtx(string ptx, string architecture = "sm_80", EmulatorOptions? options = null) =>
        new(Encoding.UTF8.GetBytes(ptx), architecture, options);

    /// <summary>Device memory with these values.</summary>
    public CudaDeviceMemory Upload<T>(params T[] values)
        where T : unmanaged
    {
        CudaDeviceMemory memory = Allocate<T>(values.Length);
        fixed (T* from = values)
        {
            Stream.CopyToDevice((nint)from, memory.Address, (long)values.Length * sizeof(T));
        }

        return memory;
    }

    /// <summary>Device memory that nothing has written.</summary>
    public CudaDeviceMemory Allocate<T>(long count)
        where T : unmanaged
    {
        CudaDeviceMemory memory = new(Context, count * sizeof(T));
        _memory.Add(memory);
        return memory;
    }

    /// <summary>Queues a kernel; arguments are memory, or values of unmanaged types.</summary>
    public void Launch(string kernel, Dim3 grid, Dim3 block, int sharedBytes, params object[] arguments)
    {
        nint function = Module.Function(kernel);
        if (sharedBytes > 48 << 10)
        {
            Context.Driver.Check(
                Context.Driver.Functions.cuFuncSetAttribute(function, CudaFunctionAttribute.MaxDynamicSharedSizeBytes, sharedBytes),
                "opting in"
            );
        }

        void** pointers = stackalloc void*[arguments.Length];
        List<nint> copies = [];
        try
        {
            for (int i = 0; i < arguments.Length; i++)
            {
                object value = arguments[i] is CudaDeviceMemory memory ? memory.Address : arguments[i];
                nint copy = Marshal.AllocHGlobal(Math.Max(16, Marshal.SizeOf(value)));
                Marshal.StructureToPtr(value, copy, false);
                copies.Add(copy);
                pointers[i] = (void*)copy;
            }

            Context.Driver.Check(
                Context.Driver.Functions.cuLaunchKernel(
                    function,
                    grid.X,
                    grid.Y,
                    grid.Z,
                    block.X,
                    block.Y,
                    block.Z,
                    (uint)sharedBytes,
                    Stream.Handle,
                    pointers,
                    null
                ),
                $"launching {kernel}"
            );
        }
        finally
        {
            copies.ForEach(Marshal.FreeHGlobal);
        }
    }

    public void Launch(string kernel, int grid, int block, params object[] arguments) =>
        Launch(kernel, new Dim3((uint)grid), new Dim3((uint)block), 0, arguments);

    /// <summary>Waits, and reads values back.</summary>
    public T[] Read<T>(CudaDeviceMemory memory, int count = -1)
        where T : unmanaged
    {
        T[] values = new T[count < 0 ? memory.Bytes / sizeof(T) : count];
        fixed (T* to = values)
        {
            Stream.CopyToHost(memory.Address, (nint)to, (long)values.Length * sizeof(T));
        }

        Stream.Synchronize();
        return values;
    }

    /// <summary>Launches, waits, and returns the violation that must come.</summary>
    public Violation Fails(Action work)
    {
        CudaException error = Assert.Throws<CudaException>(() =>
        {
            work();
            Stream.Synchronize();
        });
        Violation violation = Emulated.Violation ?? throw new InvalidOperationException($"no kernel failed, but {error.Message}");
        Assert.Contains(violation.ToString(), error.Message, StringComparison.Ordinal);
        return violation;
    }

    public void Dispose()
    {
        _recording.Dispose();
        foreach (CudaDeviceMemory memory in _memory)
        {
            memory.Dispose();
        }

        Module.Dispose();
        Stream.Dispose();
        Context.Dispose();
    }
}
