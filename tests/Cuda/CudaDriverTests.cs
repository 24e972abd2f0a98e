using System.Runtime.InteropServices;
using CoGrpo.Runtime.Cuda;

namespace CoGrpo.Tests.Cuda;

/// <summary>
/// What a user reads where the driver is missing, is not one, is too old or finds no GPU: one line with what was tried and what to do.
/// </summary>
public sealed unsafe class CudaDriverTests
{
    [ThreadStatic]
    private static CudaResult _initialisation;

    [ThreadStatic]
    private static int _version;

    [Fact]
    public void MissingLibraryNamesEverythingTried()
    {
        string line = Line(() =>
            CudaDriver.Load(NativeLibrarySearch.For("NVIDIA driver", ["libcuda-nine.so.1", "libcuda-ten.so"], [], "/nowhere/libcuda.so.1"))
        );
        Assert.Equal(
            "NVIDIA driver: wanted its library on this machine, tried /nowhere/libcuda.so.1, libcuda-nine.so.1, libcuda-ten.so and found none; "
                + "install the NVIDIA driver or use --device cpu",
            line
        );
    }

    [Fact]
    public void FileThatIsNoLibrarySaysWhyItDoesNotLoad()
    {
        using TemporaryFolder folder = new();
        string file = folder.File("libcuda.so.1");
        File.WriteAllText(file, "no library");
        string line = Line(() => CudaDriver.Load(NativeLibrarySearch.For("NVIDIA driver", ["libcuda-nine.so.1"], [], file)));
        Assert.Contains($"tried {file} (it does not load: ", line, StringComparison.Ordinal);
        Assert.EndsWith("; install the NVIDIA driver or use --device cpu", line, StringComparison.Ordinal);
    }

    [Fact]
    public void LibraryThatIsNoDriverIsSaidToBeNone()
    {
        string line = Line(() => CudaDriver.Load(NativeLibrarySearch.For("NVIDIA driver", [], [], AnyLibrary())));
        Assert.Contains(
            "wanted a CUDA driver, the library has no function cuDriverGetVersion; name the driver's library in COGRPO_CUDA_DRIVER",
            line,
            StringComparison.Ordinal
        );
    }

    /// <summary>The libraries of real drivers, which tests/get-cuda.sh fetches; on a machine that has a GPU the first of them may find it.</summary>
    [Theory]
    [InlineData("current", "wanted a GPU, found none (cuInit: CUDA_ERROR_NO_DEVICE); check that one is fitted and visible")]
    [InlineData("old", "wanted CUDA 11.4 or later, it offers 11.0; update the NVIDIA driver")]
    public void RealDriverWithoutGpu(string folder, string expected)
    {
        string path = Path.Combine(TestCompilers.Folder, "..", ".driver", folder, "libcuda.so.1");
        if (!File.Exists(path) || File.Exists("/dev/nvidiactl"))
        {
            return;
        }

        Assert.Contains(expected, Line(() => CudaDriver.Load(NativeLibrarySearch.For("NVIDIA driver", [], [], path))), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(CudaResult.StubLibrary, 12040, "this is the toolkit's link-time stub, not a driver")]
    [InlineData(CudaResult.NoDevice, 12040, "(CUDA 12.4): wanted a GPU, found none")]
    [InlineData(CudaResult.SystemDriverMismatch, 12040, "of different versions")]
    [InlineData((CudaResult)999, 12040, "cuInit failed with CUDA error 999")]
    [InlineData(CudaResult.Success, 11030, "wanted CUDA 11.4 or later, it offers 11.3")]
    public void DriverThatRefuses(CudaResult initialisation, int version, string expected)
    {
        (_initialisation, _version) = (initialisation, version);
        CudaDriverFunctions functions = new(Refuse);
        Assert.Contains(expected, Line(() => new CudaDriver(in functions, "libcuda.so.1")), StringComparison.Ordinal);
    }

    private static string Line(Action action)
    {
        string message = Assert.Throws<CudaException>(action).Message;
        Assert.DoesNotContain('\n', message);
        return message;
    }

    private static string AnyLibrary() => OperatingSystem.IsWindows() ? "kernel32.dll" : OperatingSystem.IsMacOS() ? "libSystem.dylib" : "libc.so.6";

    private static nint Refuse(string name) => name switch
    {
        "cuInit" => (nint)(delegate* unmanaged<uint, CudaResult>)&Initialise,
        "cuDriverGetVersion" => (nint)(delegate* unmanaged<int*, CudaResult>)&Version,
        "cuGetErrorName" or "cuGetErrorString" => (nint)(delegate* unmanaged<CudaResult, byte**, CudaResult>)&NoText,
        _ => 0,
    };

    [UnmanagedCallersOnly]
    private static CudaResult Initialise(uint flags) => _initialisation;

    [UnmanagedCallersOnly]
    private static CudaResult Version(int* version)
    {
        *version = _version;
        return _initialisation == CudaResult.StubLibrary ? CudaResult.StubLibrary : CudaResult.Success;
    }

    [UnmanagedCallersOnly]
    private static CudaResult NoText(CudaResult result, byte** text) => CudaResult.InvalidValue;
}
