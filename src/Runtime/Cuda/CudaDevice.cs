using System.Runtime.InteropServices;

namespace CoGrpo.Runtime.Cuda;

/// <summary>One GPU as the driver describes it. Holds no resource.</summary>
public sealed unsafe class CudaDevice
{
    private readonly CudaDriver _driver;
    private readonly int _handle;

    /// <summary>Device number <paramref name="ordinal"/>.</summary>
    /// <exception cref="CudaException">There is no such device.</exception>
    public CudaDevice(CudaDriver driver, int ordinal = 0)
    {
        ArgumentNullException.ThrowIfNull(driver);
        int count = driver.DeviceCount;
        if ((uint)ordinal >= (uint)count)
        {
            throw new CudaException(
                $"CUDA device: wanted a number below {count}, got {ordinal}; name an existing device in CUDA_VISIBLE_DEVICES",
                CudaResult.InvalidDevice
            );
        }

        _driver = driver;
        Ordinal = ordinal;
        int handle = 0;
        driver.Check(driver.Functions.cuDeviceGet(&handle, ordinal), $"opening CUDA device {ordinal}");
        _handle = handle;
        byte* name = stackalloc byte[256];
        driver.Check(driver.Functions.cuDeviceGetName(name, 256, handle), $"naming CUDA device {ordinal}");
        Name = Marshal.PtrToStringUTF8((nint)name) ?? "";
        nuint bytes = 0;
        driver.Check(driver.Functions.cuDeviceTotalMem_v2(&bytes, handle), $"measuring the memory of CUDA device {ordinal}");
        MemoryBytes = (long)bytes;
        Architecture = new CudaArchitecture(
            Attribute(CudaDeviceAttribute.ComputeCapabilityMajor),
            Attribute(CudaDeviceAttribute.ComputeCapabilityMinor)
        );
    }

    /// <summary>The driver it belongs to.</summary>
    public CudaDriver Driver => _driver;

    /// <summary>Number of the device.</summary>
    public int Ordinal { get; }

    /// <summary>Product name.</summary>
    public string Name { get; }

    /// <summary>Device memory in bytes.</summary>
    public long MemoryBytes { get; }

    /// <summary>Compute capability.</summary>
    public CudaArchitecture Architecture { get; }

    internal int Handle => _handle;

    /// <summary>One attribute.</summary>
    /// <exception cref="CudaException">The driver does not know it.</exception>
    public int Attribute(CudaDeviceAttribute attribute)
    {
        int value = 0;
        _driver.Check(_driver.Functions.cuDeviceGetAttribute(&value, attribute, _handle), $"reading {attribute} of CUDA device {Ordinal}");
        return value;
    }

    /// <summary>Name, architecture and memory, for people.</summary>
    public override string ToString() => $"{Name} ({Architecture}, {MemoryBytes >> 20} MiB)";
}
