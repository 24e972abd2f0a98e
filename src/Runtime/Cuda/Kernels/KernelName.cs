namespace CoGrpo.Runtime.Cuda.Kernels;

/// <summary>
/// A kernel by program and name, with the number under which a <see cref="KernelLibrary"/> keeps it loaded. Declared once, as a static field, beside
/// its launcher.
/// </summary>
internal abstract class KernelName
{
    private static int _count;

    protected KernelName(string stem, string name)
    {
        (Stem, Name) = (stem, name);
        Index = Interlocked.Increment(ref _count) - 1;
    }

    /// <summary>The program.</summary>
    public string Stem { get; }

    /// <summary>The kernel's name in it.</summary>
    public string Name { get; }

    /// <summary>Position in a library's table.</summary>
    public int Index { get; }

    /// <summary>Bytes of the argument struct.</summary>
    public abstract int ArgumentBytes { get; }
}

/// <summary>A kernel name with the type of its one parameter.</summary>
/// <typeparam name="TArguments">See <see cref="CudaKernel{TArguments}"/>.</typeparam>
internal sealed unsafe class KernelName<TArguments>(string stem, string name) : KernelName(stem, name)
    where TArguments : unmanaged
{
    public override int ArgumentBytes => sizeof(TArguments);
}

/// <summary>The two forms of a kernel that is compiled for fp32 and for bf16 storage: <c>name_f32</c> and <c>name_bf16</c>.</summary>
/// <typeparam name="TArguments">See <see cref="CudaKernel{TArguments}"/>.</typeparam>
internal sealed class StorageKernelName<TArguments>(string stem, string name)
    where TArguments : unmanaged
{
    /// <summary>fp32 storage.</summary>
    public KernelName<TArguments> Float32 { get; } = new(stem, $"{name}_f32");

    /// <summary>bf16 storage, from sm_80 on.</summary>
    public KernelName<TArguments> BFloat16 { get; } = new(stem, $"{name}_bf16");

    /// <summary>The form for a storage type.</summary>
    public KernelName<TArguments> this[ElementType storage] => storage == ElementType.BFloat16 ? BFloat16 : Float32;
}
