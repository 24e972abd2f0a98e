using System.Collections.Concurrent;
using CoGrpo.Runtime.Cuda;
using CoGrpo.Runtime.Cuda.Kernels;

namespace CoGrpo.Tests.Cuda;

/// <summary>
/// The NVRTC versions that tests compile small programs of their own with. What is compiled once is kept for the life of the process.
/// </summary>
internal static class TestNvrtc
{
    private static readonly ConcurrentDictionary<string, Lazy<NvrtcOutput>> Compiled = new(StringComparer.Ordinal);

    /// <summary>NVRTC 12.4, or what the machine has.</summary>
    /// <exception cref="CudaException">There is none.</exception>
    public static Nvrtc Main => TestCompilers.All[0];

    /// <summary>NVRTC 11.8.</summary>
    /// <exception cref="InvalidOperationException">It is not there.</exception>
    public static Nvrtc Old => TestCompilers.All.FirstOrDefault(nvrtc => nvrtc.Version == new Version(11, 8))
        ?? throw new InvalidOperationException("NVRTC 11.8 for the tests: wanted tests/.nvrtc/11.8, found none; run tests/get-cuda.sh");

    /// <summary>Compiles the library's kernels for tests, through the cache that all tests share.</summary>
    public static KernelCompiler Kernels => TestCompilers.Kernels;

    /// <summary>A program without headers, compiled once per architecture, compiler and set of options.</summary>
    public static NvrtcOutput Compile(string source, string architecture = "sm_80", bool old = false, params string[] options)
    {
        string key = $"{architecture} {old} {string.Join(' ', options)}\n{source}";
        return Compiled.GetOrAdd(key, _ => new Lazy<NvrtcOutput>(() =>
            (old ? Old : Main).Compile("test.cu", source, new Dictionary<string, string>(), CudaArchitecture.Parse(architecture), options))).Value;
    }
}
