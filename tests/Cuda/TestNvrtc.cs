using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using CoGrpo.CudaEmulator.Tool;
using CoGrpo.Runtime.Cuda;
using CoGrpo.Runtime.Cuda.Kernels;

namespace CoGrpo.Tests.Cuda;

/// <summary>
/// The NVRTC versions that tests compile with: those that tests/get-nvrtc.sh fetched, else for the main one whatever the machine has. What is
/// compiled once is kept for the life of the process.
/// </summary>
internal static class TestNvrtc
{
    private static readonly ConcurrentDictionary<string, Lazy<NvrtcOutput>> Compiled = new(StringComparer.Ordinal);
    private static readonly Lazy<Nvrtc> MainCompiler = new(() => NvrtcFolders.Find("12.4") ?? OfMachine());
    private static readonly Lazy<Nvrtc> OldCompiler = new(() => NvrtcFolders.Find("11.8") ?? throw new InvalidOperationException(Missing("11.8")));

    /// <summary>NVRTC 12.4, or what the machine has.</summary>
    /// <exception cref="InvalidOperationException">There is none.</exception>
    public static Nvrtc Main => MainCompiler.Value;

    /// <summary>NVRTC 11.8.</summary>
    /// <exception cref="InvalidOperationException">It is not there.</exception>
    public static Nvrtc Old => OldCompiler.Value;

    /// <summary>Compiles the library's kernels for tests, with a cache on disk under the build output.</summary>
    public static KernelCompiler Kernels { get; } = new(() => Main, new KernelCache(Path.Combine(AppContext.BaseDirectory, "artifacts", "kernels")));

    /// <summary>A program without headers, compiled once per architecture, compiler and set of options.</summary>
    public static NvrtcOutput Compile(string source, string architecture = "sm_80", bool old = false, params string[] options)
    {
        string key = $"{architecture} {old} {string.Join(' ', options)}\n{source}";
        return Compiled.GetOrAdd(key, _ => new Lazy<NvrtcOutput>(() =>
            (old ? Old : Main).Compile("test.cu", source, new Dictionary<string, string>(), CudaArchitecture.Parse(architecture), options))).Value;
    }

    private static Nvrtc OfMachine()
    {
        try
        {
            return Nvrtc.Load();
        }
        catch (CudaException error)
        {
            throw new InvalidOperationException($"{Missing("12.4")} ({error.Message})");
        }
    }

    private static string Missing(string version) =>
        $"NVRTC {version} for the tests: wanted tests/.nvrtc/{version} or {RuntimeInformation.OSDescription}'s own, found none; run tests/get-nvrtc.sh";
}
