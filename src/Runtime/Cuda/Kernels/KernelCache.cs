using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using CoGrpo.Runtime.Files;

namespace CoGrpo.Runtime.Cuda.Kernels;

/// <summary>
/// Compiled kernels on disk, one file per program, architecture, compiler and source text, so that only the first run on a machine
/// compiles. Any number of processes may use one folder: files appear whole and are never changed. Trouble with the folder costs a
/// compilation, not the run.
/// </summary>
public sealed class KernelCache
{
    /// <summary>Environment variable that names the folder.</summary>
    public const string FolderVariable = "COGRPO_KERNEL_CACHE";

    private const string Options = "c++17 lineinfo 1";

    /// <summary>A cache in <paramref name="folder"/>, made at the first write.</summary>
    public KernelCache(string folder) => Folder = folder;

    /// <summary>The user's cache folder, or the one that the environment names.</summary>
    public static KernelCache Default => new(Environment.GetEnvironmentVariable(FolderVariable) is { Length: > 0 } named ? named : UserFolder());

    /// <summary>Where the files lie.</summary>
    public string Folder { get; }

    /// <summary>File of a program as <paramref name="compiler"/> would make it.</summary>
    public string PathOf(string stem, CudaArchitecture architecture, Version compiler)
    {
        byte[] key = SHA256.HashData(Encoding.UTF8.GetBytes($"{KernelSources.Fingerprint(stem)} {architecture} {compiler} {Options}"));
        return Path.Combine(Folder, $"{stem}-{architecture}-{Convert.ToHexStringLower(key.AsSpan(0, 12))}.zip");
    }

    /// <summary>The stored kernels, or null if there are none or the file is damaged.</summary>
    public CompiledKernels? Find(string stem, CudaArchitecture architecture, Version compiler)
    {
        try
        {
            using FileStream stream = File.OpenRead(PathOf(stem, architecture, compiler));
            using ZipArchive archive = new(stream, ZipArchiveMode.Read);
            return CompiledKernels.ReadFrom(archive, stem, architecture);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            return null;
        }
    }

    /// <summary>Stores kernels; false if the folder does not take them.</summary>
    public bool Store(CompiledKernels kernels, Version compiler)
    {
        ArgumentNullException.ThrowIfNull(kernels);
        try
        {
            Directory.CreateDirectory(Folder);
            AtomicFile.Write(PathOf(kernels.Stem, kernels.Architecture, compiler), stream =>
            {
                using ZipArchive archive = new(stream, ZipArchiveMode.Create, leaveOpen: true);
                kernels.WriteTo(archive);
            });
            return true;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static string UserFolder()
    {
        string root = OperatingSystem.IsWindows()
            ? Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData)
            : Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } cache ? cache
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
        return Path.Combine(root, "cogrpo-native", "kernels");
    }
}
