using System.Text;

namespace CoGrpo.Runtime.Cuda;

/// <summary>Device code loaded into a context: a binary for the device's own architecture, or PTX that the driver compiles.</summary>
public sealed unsafe class CudaModule : IDisposable
{
    private nint _handle;

    /// <summary>Loads <paramref name="image"/> (a cubin, or PTX text) into <paramref name="context"/>.</summary>
    /// <param name="context">Where to.</param>
    /// <param name="name">For messages.</param>
    /// <param name="image">The code; a terminating zero is added.</param>
    /// <exception cref="CudaException">The driver refuses it: wrong architecture, PTX too new, damaged.</exception>
    public CudaModule(CudaContext context, string name, ReadOnlySpan<byte> image)
    {
        CudaResult result = TryLoad(context, image, out nint handle);
        if (result != CudaResult.Success)
        {
            context.Driver.Fail(result, $"loading kernels {name} on {context.Device.Name} ({context.Device.Architecture})");
        }

        (Context, Name, _handle) = (context, name, handle);
    }

    private CudaModule(CudaContext context, string name, nint handle) => (Context, Name, _handle) = (context, name, handle);

    /// <summary>The context it lives in.</summary>
    public CudaContext Context { get; }

    /// <summary>Name for messages.</summary>
    public string Name { get; }

    /// <summary>As the constructor, but null when the image holds no code for this device.</summary>
    /// <exception cref="CudaException">The driver refuses it for another reason.</exception>
    public static CudaModule? ForThisDevice(CudaContext context, string name, ReadOnlySpan<byte> image)
    {
        CudaResult result = TryLoad(context, image, out nint handle);
        if (result is CudaResult.NoBinaryForGpu or CudaResult.UnsupportedPtxVersion)
        {
            return null;
        }

        if (result != CudaResult.Success)
        {
            context.Driver.Fail(result, $"loading kernels {name} on {context.Device.Name} ({context.Device.Architecture})");
        }

        return new CudaModule(context, name, handle);
    }

    /// <summary>The address and size of a device variable of the module.</summary>
    /// <exception cref="CudaException">There is none of that name.</exception>
    public (ulong Address, long Bytes) Global(string name)
    {
        Context.MakeCurrent();
        ulong address = 0;
        nuint bytes = 0;
        fixed (byte* text = Encoding.UTF8.GetBytes(name + '\0'))
        {
            Context.Check(
                Context.Driver.Functions.cuModuleGetGlobal_v2(&address, &bytes, _handle, text),
                $"finding variable {name} in kernels {Name}"
            );
        }

        return (address, (long)bytes);
    }

    /// <summary>Unloads the code; its kernels become invalid.</summary>
    public void Dispose()
    {
        if (_handle == 0)
        {
            return;
        }

        nint handle = _handle;
        _handle = 0;
        Context.MakeCurrent();
        Context.Release(Context.Driver.Functions.cuModuleUnload(handle), $"unloading kernels {Name}");
    }

    internal nint Function(string name)
    {
        Context.MakeCurrent();
        nint function = 0;
        fixed (byte* text = Encoding.UTF8.GetBytes(name + '\0'))
        {
            Context.Check(Context.Driver.Functions.cuModuleGetFunction(&function, _handle, text), $"finding kernel {name} in {Name}");
        }

        return function;
    }

    private static CudaResult TryLoad(CudaContext context, ReadOnlySpan<byte> image, out nint handle)
    {
        context.MakeCurrent();
        byte[] terminated = new byte[image.Length + 1];
        image.CopyTo(terminated);
        nint module = 0;
        CudaResult result;
        fixed (byte* code = terminated)
        {
            result = context.Driver.Functions.cuModuleLoadDataEx(&module, code, 0, null, null);
        }

        handle = module;
        return result;
    }
}
