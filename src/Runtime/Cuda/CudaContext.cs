namespace CoGrpo.Runtime.Cuda;

/// <summary>
/// A driver context: everything allocated, loaded and launched belongs to one and dies with it. Any thread may use it after
/// <see cref="MakeCurrent"/>, one at a time.
/// </summary>
public sealed unsafe class CudaContext : IDisposable
{
    [ThreadStatic]
    private static CudaContext? _current;

    private nint _handle;

    /// <summary>A context of its own on <paramref name="device"/>, current on this thread.</summary>
    /// <exception cref="CudaException">The device is not available or has no memory left.</exception>
    public CudaContext(CudaDevice device)
    {
        ArgumentNullException.ThrowIfNull(device);
        Device = device;
        nint handle = 0;
        Driver.Check(Driver.Functions.cuCtxCreate_v2(&handle, 0, device.Handle), $"opening a context on {device.Name}");
        _handle = handle;
        _current = this;
    }

    /// <summary>The device.</summary>
    public CudaDevice Device { get; }

    /// <summary>The driver.</summary>
    public CudaDriver Driver => Device.Driver;

    /// <summary>
    /// Whether a kernel has failed in a way that takes the context with it, and the failure has been thrown: nothing more can be done in it but
    /// ending it.
    /// </summary>
    public bool IsLost { get; private set; }

    /// <summary>Free and total bytes of device memory, all processes counted.</summary>
    public (long Free, long Total) Memory
    {
        get
        {
            MakeCurrent();
            nuint free = 0;
            nuint total = 0;
            Check(Driver.Functions.cuMemGetInfo_v2(&free, &total), "asking for free device memory");
            return ((long)free, (long)total);
        }
    }

    /// <summary>Makes the context the one that driver calls of this thread mean. Costs nothing when it is already.</summary>
    /// <exception cref="ObjectDisposedException">It was destroyed.</exception>
    public void MakeCurrent()
    {
        if (_current == this && _handle != 0)
        {
            return;
        }

        ObjectDisposedException.ThrowIf(_handle == 0, this);
        Driver.Check(Driver.Functions.cuCtxSetCurrent(_handle), "making a context current");
        _current = this;
    }

    /// <summary>Waits for everything launched in the context; errors of kernels come out here at the latest.</summary>
    public void Synchronize()
    {
        MakeCurrent();
        Check(Driver.Functions.cuCtxSynchronize(), "waiting for the device");
    }

    /// <summary>Destroys the context with all that is left in it.</summary>
    /// <exception cref="CudaException">The device reports an error of earlier work.</exception>
    public void Dispose()
    {
        if (_handle == 0)
        {
            return;
        }

        nint handle = _handle;
        _handle = 0;
        _current = null;
        Release(Driver.Functions.cuCtxDestroy_v2(handle), "closing the context");
    }

    /// <summary>Throws unless <paramref name="result"/> is success.</summary>
    internal void Check(CudaResult result, string doing)
    {
        if (result != CudaResult.Success)
        {
            IsLost |= result.IsSticky();
            Driver.Fail(result, doing);
        }
    }

    /// <summary>
    /// As <see cref="Check"/> for giving something back: after the context is lost all of it is gone, and the failure has been told.
    /// </summary>
    internal void Release(CudaResult result, string doing)
    {
        if (!IsLost)
        {
            Check(result, doing);
        }
    }
}
