namespace CoGrpo.Runtime.Cuda;

/// <summary>Where the three NVIDIA libraries are looked for, on Linux and Windows.</summary>
internal static class CudaLibraries
{
    /// <summary>Environment variable that names a driver library file or folder.</summary>
    public const string DriverVariable = "COGRPO_CUDA_DRIVER";

    /// <summary>Environment variable that names an NVRTC library file or the folder it lies in.</summary>
    public const string NvrtcVariable = "COGRPO_NVRTC";

    /// <summary>Environment variable that names a cuBLASLt library file or folder.</summary>
    public const string CublasLtVariable = "COGRPO_CUBLASLT";

    private static readonly bool Windows = OperatingSystem.IsWindows();

    public static NativeLibrarySearch Driver() => NativeLibrarySearch.For(
        "NVIDIA driver",
        Windows ? ["nvcuda.dll"] : ["libcuda.so.1", "libcuda.so"],
        Windows ? [] : ["/usr/lib/wsl/lib", "/usr/local/nvidia/lib64"],
        Environment.GetEnvironmentVariable(DriverVariable));

    public static NativeLibrarySearch Nvrtc() =>
        NativeLibrarySearch.For(
            "NVRTC",
            Windows
                ? ["nvrtc64_130_0.dll", "nvrtc64_120_0.dll", "nvrtc64_112_0.dll"]
                : ["libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so.11.2", "libnvrtc.so"],
            ToolkitFolders(),
            Environment.GetEnvironmentVariable(NvrtcVariable)
        );

    public static NativeLibrarySearch CublasLt() =>
        NativeLibrarySearch.For(
            "cuBLASLt",
            Windows
                ? ["cublasLt64_13.dll", "cublasLt64_12.dll", "cublasLt64_11.dll"]
                : ["libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so.11", "libcublasLt.so"],
            ToolkitFolders(),
            Environment.GetEnvironmentVariable(CublasLtVariable)
        );

    private static string[] ToolkitFolders()
    {
        string inside = Windows ? "bin" : "lib64";
        string? toolkit = Environment.GetEnvironmentVariable("CUDA_PATH") ?? Environment.GetEnvironmentVariable("CUDA_HOME");
        List<string> folders = string.IsNullOrEmpty(toolkit) ? [] : [Path.Combine(toolkit, inside), Path.Combine(toolkit, inside, "x64")];
        if (!Windows)
        {
            folders.AddRange(["/usr/local/cuda/lib64", "/opt/cuda/lib64"]);
        }

        return [.. folders];
    }
}
