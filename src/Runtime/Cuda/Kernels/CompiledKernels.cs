using System.IO.Compression;
using System.Text;

namespace CoGrpo.Runtime.Cuda.Kernels;

/// <summary>One program compiled for one architecture: the binary for devices of exactly that architecture and the PTX for later ones.</summary>
/// <param name="Stem">The program.</param>
/// <param name="Architecture">What it was compiled for.</param>
/// <param name="Ptx">PTX text.</param>
/// <param name="Cubin">Binary.</param>
/// <param name="Log">The assembler's report of registers and memory.</param>
public sealed record CompiledKernels(string Stem, CudaArchitecture Architecture, byte[] Ptx, byte[] Cubin, string Log)
{
    private string Base => $"{Architecture}/{Stem}";

    /// <summary>Writes the three parts into a ZIP archive.</summary>
    internal void WriteTo(ZipArchive archive)
    {
        WriteEntry(archive, $"{Base}.ptx", Ptx);
        WriteEntry(archive, $"{Base}.cubin", Cubin);
        WriteEntry(archive, $"{Base}.log", Encoding.UTF8.GetBytes(Log));
    }

    /// <summary>Reads them back; null when the archive has none for this program and architecture.</summary>
    /// <exception cref="InvalidDataException">An entry is damaged.</exception>
    internal static CompiledKernels? ReadFrom(ZipArchive archive, string stem, CudaArchitecture architecture)
    {
        byte[]? Part(string suffix) => archive.GetEntry($"{architecture}/{stem}.{suffix}") is { } entry ? ReadEntry(entry) : null;
        return Part("ptx") is { } ptx && Part("cubin") is { } cubin && Part("log") is { } log
            ? new CompiledKernels(stem, architecture, ptx, cubin, Encoding.UTF8.GetString(log))
            : null;
    }

    internal static void WriteEntry(ZipArchive archive, string name, byte[] bytes)
    {
        ZipArchiveEntry entry = archive.CreateEntry(name, CompressionLevel.Optimal);
        entry.LastWriteTime = new DateTimeOffset(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);
        using Stream stream = entry.Open();
        stream.Write(bytes);
    }

    internal static byte[] ReadEntry(ZipArchiveEntry entry)
    {
        const long Most = 64 << 20;
        if (entry.Length > Most)
        {
            throw new InvalidDataException($"entry {entry.FullName} claims {entry.Length} bytes, at most {Most} are allowed");
        }

        byte[] bytes = new byte[entry.Length];
        using Stream stream = entry.Open();
        stream.ReadExactly(bytes);
        return stream.ReadByte() < 0 ? bytes : throw new InvalidDataException($"entry {entry.FullName} is longer than it claims");
    }
}
