using System.Runtime.InteropServices;

namespace CoGrpo.Cli.Diagnostics;

/// <summary>Looks for the NVIDIA driver and compiler libraries, and for a device.</summary>
internal static unsafe class GpuProbe
{
    private static readonly bool Windows = OperatingSystem.IsWindows();

    /// <summary>The three libraries that a CUDA backend needs.</summary>
    public static IReadOnlyList<NativeLibraryProbe> All() =>
    [
        Find("NVIDIA driver", "install the NVIDIA driver", Windows ? ["nvcuda.dll"] : ["libcuda.so.1", "libcuda.so"]),
        Find(
            "NVRTC (kernel compiler)", "install the CUDA toolkit's NVRTC package (Debian: libnvrtc12)",
            Windows ? ["nvrtc64_130_0.dll", "nvrtc64_120_0.dll", "nvrtc64_112_0.dll"] : ["libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so.11.2", "libnvrtc.so"]),
        Find(
            "cuBLASLt (optional)", "install the CUDA toolkit's cuBLAS package (Debian: libcublaslt12)",
            Windows ? ["cublasLt64_13.dll", "cublasLt64_12.dll", "cublasLt64_11.dll"] : ["libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so.11", "libcublasLt.so"]),
    ];

    /// <summary>Number of devices that the driver reports, with a word on how that went.</summary>
    public static (int Count, string Detail) Devices(NativeLibraryProbe driver)
    {
        if (driver.Found is null || !NativeLibrary.TryLoad(driver.Found, out nint library))
        {
            return (0, "no driver");
        }

        if (!NativeLibrary.TryGetExport(library, "cuInit", out nint init) || !NativeLibrary.TryGetExport(library, "cuDeviceGetCount", out nint count))
        {
            return (0, $"{driver.Found} lacks cuInit or cuDeviceGetCount");
        }

        int status = ((delegate* unmanaged<uint, int>)init)(0);
        if (status != 0)
        {
            return (0, $"cuInit returned {status}" + (status == 100 ? " (no device)" : ""));
        }

        int devices = 0;
        status = ((delegate* unmanaged<int*, int>)count)(&devices);
        return status == 0 ? (devices, $"cuDeviceGetCount says {devices}") : (0, $"cuDeviceGetCount returned {status}");
    }

    private static NativeLibraryProbe Find(string title, string remedy, string[] names)
    {
        foreach (string name in names)
        {
            if (NativeLibrary.TryLoad(name, out _))
            {
                return new(title, names[..(Array.IndexOf(names, name) + 1)], name, remedy);
            }
        }

        return new(title, names, null, remedy);
    }
}
