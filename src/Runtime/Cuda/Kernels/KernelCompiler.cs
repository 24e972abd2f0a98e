namespace CoGrpo.Runtime.Cuda.Kernels;

/// <summary>Where compiled kernels come from: a bundle if there is one, else the cache, else NVRTC, which fills the cache.</summary>
public sealed class KernelCompiler
{
    private readonly KernelBundle? _bundle;
    private readonly KernelCache? _cache;
    private readonly Lazy<Nvrtc> _nvrtc;

    /// <summary>A source of kernels.</summary>
    /// <param name="nvrtc">Makes the compiler; asked only when something has to be compiled or looked up in the cache.</param>
    /// <param name="cache">Null for none.</param>
    /// <param name="bundle">Null for none.</param>
    public KernelCompiler(Func<Nvrtc> nvrtc, KernelCache? cache, KernelBundle? bundle = null) =>
        (_nvrtc, _cache, _bundle) = (new Lazy<Nvrtc>(nvrtc), cache, bundle);

    /// <summary>This machine's: the default bundle, the user's cache, the installed NVRTC.</summary>
    /// <exception cref="CudaException">The bundle is damaged or of another version.</exception>
    public static KernelCompiler Default() => new(Nvrtc.Load, KernelCache.Default, KernelBundle.Default());

    /// <summary>Compiles one program without cache.</summary>
    /// <exception cref="CudaException">It does not compile.</exception>
    public static CompiledKernels Compile(Nvrtc nvrtc, string stem, CudaArchitecture architecture)
    {
        ArgumentNullException.ThrowIfNull(nvrtc);
        NvrtcOutput output = nvrtc.Compile(KernelSources.FileName(stem), KernelSources.Text(stem), KernelSources.Headers, architecture);
        return new CompiledKernels(stem, architecture, output.Ptx, output.Cubin, output.Log);
    }

    /// <summary>The kernels of a program for a device of <paramref name="device"/>.</summary>
    /// <exception cref="CudaException">There is no compiler, or it fails.</exception>
    public CompiledKernels Get(string stem, CudaArchitecture device)
    {
        if (_bundle?.Find(stem, device) is { } bundled)
        {
            return bundled;
        }

        Nvrtc nvrtc = _nvrtc.Value;

        // A device later than the compiler runs the PTX of the latest architecture that the compiler knows.
        CudaArchitecture architecture = nvrtc.Architectures.Where(a => a <= device).DefaultIfEmpty(nvrtc.Architectures[0]).Last();
        if (_cache?.Find(stem, architecture, nvrtc.Version) is { } cached)
        {
            return cached;
        }

        CompiledKernels compiled = Compile(nvrtc, stem, architecture);
        _cache?.Store(compiled, nvrtc.Version);
        return compiled;
    }
}
