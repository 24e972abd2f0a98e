namespace CoGrpo.Runtime.Cuda.Kernels;

/// <summary>The kernels of the library in one context, compiled and loaded when they are first launched. Driven by one thread.</summary>
internal sealed class KernelLibrary : IDisposable
{
    private readonly CudaContext _context;
    private readonly KernelCompiler _compiler;
    private readonly Dictionary<string, CudaModule> _modules = new(StringComparer.Ordinal);
    private object?[] _kernels = new object?[256];

    public KernelLibrary(CudaContext context, KernelCompiler compiler) => (_context, _compiler) = (context, compiler);

    /// <summary>The loaded kernel; after the first call a look-up in an array.</summary>
    /// <exception cref="CudaException">It cannot be compiled or loaded.</exception>
    public CudaKernel<TArguments> Get<TArguments>(KernelName<TArguments> name)
        where TArguments : unmanaged
    {
        if (name.Index < _kernels.Length && _kernels[name.Index] is CudaKernel<TArguments> known)
        {
            return known;
        }

        if (name.Index >= _kernels.Length)
        {
            Array.Resize(ref _kernels, 2 * (name.Index + 1));
        }

        CudaKernel<TArguments> kernel = new(Module(name.Stem), name.Name);
        _kernels[name.Index] = kernel;
        return kernel;
    }

    public void Dispose()
    {
        foreach (CudaModule module in _modules.Values)
        {
            module.Dispose();
        }

        _modules.Clear();
        Array.Clear(_kernels);
    }

    private CudaModule Module(string stem)
    {
        if (_modules.TryGetValue(stem, out CudaModule? loaded))
        {
            return loaded;
        }

        CompiledKernels compiled = _compiler.Get(stem, _context.Device.Architecture);

        // The binary runs on its own architecture only. Everywhere else, and on drivers that take PTX alone, the driver compiles the PTX.
        CudaModule module = (compiled.Cubin.Length > 0 ? CudaModule.ForThisDevice(_context, stem, compiled.Cubin) : null)
            ?? new CudaModule(_context, stem, compiled.Ptx);
        _modules.Add(stem, module);
        return module;
    }
}
