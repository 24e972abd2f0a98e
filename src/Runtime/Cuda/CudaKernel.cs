namespace CoGrpo.Runtime.Cuda;

/// <summary>Sizes of a grid or block.</summary>
/// <param name="X">Fastest.</param>
/// <param name="Y">Middle.</param>
/// <param name="Z">Slowest.</param>
public readonly record struct Dim3(uint X, uint Y = 1, uint Z = 1)
{
    /// <summary>From integers that are known to be positive.</summary>
    public static Dim3 Of(long x, long y = 1, long z = 1) => new(checked((uint)x), checked((uint)y), checked((uint)z));

    /// <summary>Product of the sizes.</summary>
    public long Count => (long)X * Y * Z;

    /// <summary>The sizes in brackets.</summary>
    public override string ToString() => $"({X},{Y},{Z})";
}

/// <summary>
/// A kernel that takes one parameter, the struct <typeparamref name="TArguments"/> by value: the same fields in the same order as the struct
/// in the kernel's source. Launching copies it and allocates nothing.
/// </summary>
/// <typeparam name="TArguments">Sequential layout, device addresses as <see cref="nint"/>.</typeparam>
public sealed unsafe class CudaKernel<TArguments>
    where TArguments : unmanaged
{
    private readonly CudaModule _module;
    private readonly nint _function;
    private int _dynamicShared;

    /// <summary>Kernel <paramref name="name"/> of <paramref name="module"/>, which must outlive it.</summary>
    /// <exception cref="CudaException">There is no such kernel.</exception>
    public CudaKernel(CudaModule module, string name)
    {
        ArgumentNullException.ThrowIfNull(module);
        _module = module;
        _function = module.Function(name);
        Name = name;
    }

    /// <summary>Name in the source.</summary>
    public string Name { get; }

    /// <summary>Registers of a thread.</summary>
    public int Registers => Attribute(CudaFunctionAttribute.NumRegisters);

    /// <summary>Bytes of local memory of a thread: spilled registers and arrays.</summary>
    public int LocalBytes => Attribute(CudaFunctionAttribute.LocalSizeBytes);

    /// <summary>Bytes of static shared memory of a block.</summary>
    public int SharedBytes => Attribute(CudaFunctionAttribute.SharedSizeBytes);

    /// <summary>Queues the kernel on <paramref name="stream"/>.</summary>
    /// <exception cref="CudaException">The driver refuses the launch; the message names kernel, sizes and remedy.</exception>
    public void Launch(CudaStream stream, Dim3 grid, Dim3 block, in TArguments arguments, int sharedBytes = 0)
    {
        CudaContext context = _module.Context;
        context.MakeCurrent();
        if (sharedBytes > _dynamicShared)
        {
            // 48 KiB need no opting in, but asking costs one call in the life of a kernel.
            context.Check(context.Driver.Functions.cuFuncSetAttribute(_function, CudaFunctionAttribute.MaxDynamicSharedSizeBytes, sharedBytes),
                $"kernel {Name}: asking for {sharedBytes} bytes of shared memory");
            _dynamicShared = sharedBytes;
        }

        fixed (TArguments* pointer = &arguments)
        {
            void* parameter = pointer;
            CudaResult result = context.Driver.Functions.cuLaunchKernel(
                _function,
                grid.X,
                grid.Y,
                grid.Z,
                block.X,
                block.Y,
                block.Z,
                (uint)sharedBytes,
                stream.Handle,
                &parameter,
                null
            );
            if (result != CudaResult.Success)
            {
                context.Driver.Fail(
                    result,
                    $"kernel {Name}, grid {grid}, block {block}, {sharedBytes} bytes of shared memory, arguments {arguments}"
                );
            }
        }
    }

    /// <summary>Blocks of this size that fit a multiprocessor at once.</summary>
    public int Occupancy(int threads, int sharedBytes)
    {
        CudaContext context = _module.Context;
        context.MakeCurrent();
        int blocks = 0;
        context.Check(
            context.Driver.Functions.cuOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, _function, threads, (nuint)sharedBytes),
            $"kernel {Name}: asking for its occupancy"
        );
        return blocks;
    }

    private int Attribute(CudaFunctionAttribute attribute)
    {
        CudaContext context = _module.Context;
        context.MakeCurrent();
        int value = 0;
        context.Check(context.Driver.Functions.cuFuncGetAttribute(&value, attribute, _function), $"kernel {Name}: reading {attribute}");
        return value;
    }
}
