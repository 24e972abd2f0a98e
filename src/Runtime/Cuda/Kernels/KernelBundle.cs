using System.IO.Compression;
using System.Text.Json;
using CoGrpo.Runtime.Files;

namespace CoGrpo.Runtime.Cuda.Kernels;

/// <summary>
/// All kernels compiled for some architectures in one ZIP file: with it a machine needs the driver and no compiler. A manifest ties it to
/// the sources, so that a bundle of another version is never used.
/// </summary>
public sealed class KernelBundle
{
    /// <summary>Environment variable that names a bundle.</summary>
    public const string PathVariable = "COGRPO_KERNELS";

    /// <summary>Name of the bundle looked for beside the program.</summary>
    public const string DefaultName = "kernels.zip";

    private const string ManifestName = "manifest.json";

    private readonly string _path;

    private KernelBundle(string path, string compiler, IReadOnlyList<CudaArchitecture> architectures) =>
        (_path, Compiler, Architectures) = (path, compiler, architectures);

    /// <summary>Architectures it holds, ascending.</summary>
    public IReadOnlyList<CudaArchitecture> Architectures { get; }

    /// <summary>Version of NVRTC that made it.</summary>
    public string Compiler { get; }

    /// <summary>The bundle that the environment names or that lies beside the program, or null.</summary>
    /// <exception cref="CudaException">It is damaged or of other sources.</exception>
    public static KernelBundle? Default()
    {
        string? named = Environment.GetEnvironmentVariable(PathVariable);
        string path = string.IsNullOrEmpty(named) ? Path.Combine(AppContext.BaseDirectory, DefaultName) : named;
        return File.Exists(path) || !string.IsNullOrEmpty(named) ? Open(path) : null;
    }

    /// <summary>Opens and checks a bundle.</summary>
    /// <exception cref="CudaException">It is missing, damaged, or made from other sources.</exception>
    public static KernelBundle Open(string path)
    {
        try
        {
            using ZipArchive archive = ZipFile.OpenRead(path);
            if (
                archive.GetEntry(ManifestName) is not { } entry
                || JsonSerializer.Deserialize<Manifest>(CompiledKernels.ReadEntry(entry))
                    is not { Compiler: { } compiler, Architectures: { } named, Fingerprints: { } fingerprints }
                || named.Any(name => !CudaArchitecture.TryParse(name, out _))
            )
            {
                throw new InvalidDataException($"it has no {ManifestName} with compiler, architectures and fingerprints");
            }

            foreach (string stem in KernelSources.Stems)
            {
                if (!fingerprints.TryGetValue(stem, out string? fingerprint) || fingerprint != KernelSources.Fingerprint(stem))
                {
                    throw new CudaException($"kernel bundle {path}: wanted kernels of this version, those of {stem} are of another; make it again with «cogrpo-native kernels build»");
                }
            }

            return new KernelBundle(path, compiler, [.. named.Select(CudaArchitecture.Parse).Distinct().Order()]);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or InvalidDataException or JsonException)
        {
            throw new CudaException(
                $"kernel bundle {path}: wanted a file that «cogrpo-native kernels build» wrote, {error.Message.TrimEnd('.')}; make it again"
            );
        }
    }

    /// <summary>Compiles every program for every architecture and writes the bundle in one step.</summary>
    /// <param name="path">File to write.</param>
    /// <param name="compiler">NVRTC.</param>
    /// <param name="architectures">What for.</param>
    /// <param name="progress">Called after each program with done and total.</param>
    /// <param name="cancellation">Ends the work without a file.</param>
    /// <exception cref="CudaException">A program does not compile.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Build(
        string path,
        Nvrtc compiler,
        IReadOnlyList<CudaArchitecture> architectures,
        Action<int, int>? progress = null,
        CancellationToken cancellation = default
    )
    {
        ArgumentNullException.ThrowIfNull(compiler);
        ArgumentNullException.ThrowIfNull(architectures);
        (string Stem, CudaArchitecture Architecture)[] work = [.. architectures.SelectMany(a => KernelSources.Stems.Select(stem => (stem, a)))];
        CompiledKernels[] compiled = new CompiledKernels[work.Length];
        int done = 0;
        try
        {
            Parallel.For(0, work.Length, new ParallelOptions { CancellationToken = cancellation }, i =>
            {
                compiled[i] = KernelCompiler.Compile(compiler, work[i].Stem, work[i].Architecture);
                progress?.Invoke(Interlocked.Increment(ref done), work.Length);
            });
        }
        catch (AggregateException error) when (error.InnerException is CudaException inner)
        {
            throw new CudaException(inner.Message);
        }

        var manifest = new Manifest(compiler.Version.ToString(), [.. architectures.Select(a => a.ToString())],
            KernelSources.Stems.ToDictionary(stem => stem, KernelSources.Fingerprint, StringComparer.Ordinal));
        AtomicFile.Write(path, stream =>
        {
            using ZipArchive archive = new(stream, ZipArchiveMode.Create, leaveOpen: true);
            CompiledKernels.WriteEntry(archive, ManifestName, JsonSerializer.SerializeToUtf8Bytes(manifest));
            foreach (CompiledKernels kernels in compiled)
            {
                kernels.WriteTo(archive);
            }
        });
    }

    /// <summary>
    /// The kernels of a program that run on <paramref name="architecture"/>: its own, else the PTX of the latest earlier one. Null if there are none.
    /// </summary>
    /// <exception cref="CudaException">The file is damaged.</exception>
    public CompiledKernels? Find(string stem, CudaArchitecture architecture)
    {
        foreach (CudaArchitecture candidate in Architectures.Where(a => a <= architecture).Reverse())
        {
            try
            {
                using ZipArchive archive = ZipFile.OpenRead(_path);
                if (CompiledKernels.ReadFrom(archive, stem, candidate) is { } kernels)
                {
                    return kernels;
                }
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException or InvalidDataException)
            {
                throw new CudaException(
                    $"kernel bundle {_path}: reading {stem} failed, {error.Message.TrimEnd('.')}; make it again with «cogrpo-native kernels build»"
                );
            }
        }

        return null;
    }

    // Members may be null: the file comes from outside.
    private sealed record Manifest(string? Compiler, IReadOnlyList<string>? Architectures, Dictionary<string, string>? Fingerprints);
}
