namespace CoGrpo.Runtime.Cuda;

/// <summary>What of CUDA a machine has: for a diagnosis, which must not fail where something is missing.</summary>
/// <param name="Driver">The search for the driver.</param>
/// <param name="Nvrtc">The search for the compiler.</param>
/// <param name="CublasLt">The search for cuBLASLt.</param>
/// <param name="Devices">Devices the driver offers.</param>
/// <param name="DriverProblem">Why there are none, in one line; null if there are.</param>
/// <param name="NvrtcVersion">The compiler's version and architectures, or why it cannot be used.</param>
public sealed record CudaSurvey(
    NativeLibrarySearch Driver,
    NativeLibrarySearch Nvrtc,
    NativeLibrarySearch CublasLt,
    IReadOnlyList<CudaDevice> Devices,
    string? DriverProblem,
    string? NvrtcVersion
)
{
    /// <summary>Looks at this machine; <paramref name="open"/> opens its driver.</summary>
    public static CudaSurvey OfMachine(Func<CudaDriver> open)
    {
        ArgumentNullException.ThrowIfNull(open);
        NativeLibrarySearch nvrtc = CudaLibraries.Nvrtc();
        string? version = null;
        try
        {
            if (nvrtc.Found is not null)
            {
                Nvrtc compiler = Cuda.Nvrtc.Load(nvrtc);
                version = $"CUDA {compiler.Version}, {compiler.Architectures[0]} to {compiler.Architectures[^1]}";
            }
        }
        catch (CudaException error)
        {
            version = error.Message;
        }

        List<CudaDevice> devices = [];
        string? problem = null;
        try
        {
            CudaDriver driver = open();
            for (int i = 0; i < driver.DeviceCount; i++)
            {
                devices.Add(new CudaDevice(driver, i));
            }
        }
        catch (CudaException error)
        {
            problem = error.Message;
        }

        return new CudaSurvey(CudaLibraries.Driver(), nvrtc, CudaLibraries.CublasLt(), devices, problem, version);
    }
}
