using CoGrpo.Runtime.Cuda;
using CoGrpo.Runtime.Cuda.Kernels;

namespace CoGrpo.Tests.Cuda;

/// <summary>
/// The NVRTCs that tests/get-cuda.sh has fetched, and one cache of compiled kernels in the output folder that all tests share: what did
/// not change since the last run is not compiled again.
/// </summary>
internal static class TestCompilers
{
    private static readonly (string Version, string Name)[] Fetched = [("12.4", "libnvrtc.so.12"), ("11.8", "libnvrtc.so.11.2")];

    private static readonly Lazy<IReadOnlyList<Nvrtc>> Loaded = new(Load);

    /// <summary>Those that are there, the latest first; without any, the one of this machine.</summary>
    /// <exception cref="CudaException">There is none at all.</exception>
    public static IReadOnlyList<Nvrtc> All => Loaded.Value;

    /// <summary>The kernels as the latest of them compiles them.</summary>
    public static KernelCompiler Kernels { get; } = new(() => All[0], Cache);

    /// <summary>The shared cache.</summary>
    public static KernelCache Cache => new(Path.Combine(AppContext.BaseDirectory, "compiled-kernels"));

    /// <summary>tests/Cuda of the repository that the tests were built in.</summary>
    public static string Folder { get; } = Path.Combine(Tests(), "Cuda");

    /// <summary>A program compiled by <paramref name="nvrtc"/> for <paramref name="architecture"/>, from the cache if it is there.</summary>
    /// <exception cref="CudaException">It does not compile.</exception>
    public static CompiledKernels Compile(Nvrtc nvrtc, string stem, CudaArchitecture architecture)
    {
        if (Cache.Find(stem, architecture, nvrtc.Version) is { } cached)
        {
            return cached;
        }

        CompiledKernels compiled = KernelCompiler.Compile(nvrtc, stem, architecture);
        Cache.Store(compiled, nvrtc.Version);
        return compiled;
    }

    private static Nvrtc[] Load()
    {
        Nvrtc[] found = [.. Fetched
            .Select(entry => (entry.Name, Folder: Path.Combine(Tests(), ".nvrtc", entry.Version)))
            .Where(entry => Directory.Exists(entry.Folder))
            .Select(entry => Nvrtc.Load(NativeLibrarySearch.For("NVRTC", [entry.Name], [], entry.Folder)))];
        return found.Length > 0 ? found : [Nvrtc.Load()];
    }

    private static string Tests()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder != null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "CoGrpo.sln")))
            {
                return Path.Combine(folder.FullName, "tests");
            }
        }

        throw new DirectoryNotFoundException("tests: not above the test assembly; run the tests from the repository they were built in");
    }
}
