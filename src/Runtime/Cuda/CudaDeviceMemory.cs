namespace CoGrpo.Runtime.Cuda;

/// <summary>A run of device memory, aligned to 256 bytes, freed on disposal.</summary>
public sealed unsafe class CudaDeviceMemory : IDisposable
{
    private readonly CudaContext _context;

    /// <summary>Allocates <paramref name="bytes"/> in <paramref name="context"/>; the content is undefined.</summary>
    /// <exception cref="CudaException">There is not that much; the message names sizes and remedy.</exception>
    public CudaDeviceMemory(CudaContext context, long bytes, string purpose = "device memory")
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytes);
        _context = context;
        context.MakeCurrent();
        ulong address = 0;
        CudaResult result = context.Driver.Functions.cuMemAlloc_v2(&address, (nuint)bytes);
        if (result != CudaResult.Success)
        {
            nuint free = 0;
            nuint total = 0;
            string room =
                context.Driver.Functions.cuMemGetInfo_v2(&free, &total) == CudaResult.Success
                    ? $", {(long)free >> 20} of {(long)total >> 20} MiB are free"
                    : "";
            context.Driver.Fail(result, $"{purpose}: wanted {(bytes + 1048575) >> 20} MiB on {context.Device.Name}{room}");
        }

        Address = address;
        Bytes = bytes;
    }

    /// <summary>Device address of the first byte; 0 after disposal.</summary>
    public ulong Address { get; private set; }

    /// <summary>Size.</summary>
    public long Bytes { get; }

    /// <summary>Frees the memory; work that uses it must be over.</summary>
    public void Dispose()
    {
        if (Address == 0)
        {
            return;
        }

        ulong address = Address;
        Address = 0;
        _context.MakeCurrent();
        _context.Release(_context.Driver.Functions.cuMemFree_v2(address), "freeing device memory");
    }
}
