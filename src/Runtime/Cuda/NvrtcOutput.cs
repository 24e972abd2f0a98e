using System.Globalization;
using System.Text.RegularExpressions;

namespace CoGrpo.Runtime.Cuda;

/// <summary>What NVRTC made of one program.</summary>
/// <param name="Name">Name of the source.</param>
/// <param name="Architecture">What it was compiled for.</param>
/// <param name="Ptx">PTX text with a terminating zero.</param>
/// <param name="Cubin">Binary; empty for a virtual architecture.</param>
/// <param name="Log">The compiler's and assembler's remarks.</param>
public sealed partial record NvrtcOutput(string Name, CudaArchitecture Architecture, byte[] Ptx, byte[] Cubin, string Log)
{
    /// <summary>Registers, spills and memory of every kernel, as the assembler reports them.</summary>
    public IReadOnlyList<KernelResources> Resources()
    {
        List<KernelResources> resources = [];
        foreach (Match entry in Entry().Matches(Log))
        {
            string text = entry.Groups["text"].Value;
            resources.Add(
                new KernelResources(
                    entry.Groups["name"].Value,
                    Number(text, Registers()),
                    Number(text, Stack()),
                    Number(text, SpillStores()),
                    Number(text, SpillLoads()),
                    Number(text, Shared())
                )
            );
        }

        return resources;
    }

    /// <summary>Lines of the log that are warnings.</summary>
    public IReadOnlyList<string> Warnings() => [.. Log.Split('\n').Where(line => line.Contains("warning", StringComparison.OrdinalIgnoreCase))];

    private static int Number(string text, Regex pattern) =>
        pattern.Match(text) is { Success: true } match ? int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) : 0;

    [GeneratedRegex(
        @"Compiling entry function '(?<name>[^']+)' for[^\n]*\n(?<text>.*?)(?=ptxas info\s*: Compiling entry|\z)",
        RegexOptions.Singleline
    )]
    private static partial Regex Entry();

    [GeneratedRegex(@"Used (\d+) registers")]
    private static partial Regex Registers();

    [GeneratedRegex(@"(\d+) bytes stack frame")]
    private static partial Regex Stack();

    [GeneratedRegex(@"(\d+) bytes spill stores")]
    private static partial Regex SpillStores();

    [GeneratedRegex(@"(\d+) bytes spill loads")]
    private static partial Regex SpillLoads();

    [GeneratedRegex(@"(\d+) bytes smem")]
    private static partial Regex Shared();
}

/// <summary>What one kernel needs of a multiprocessor.</summary>
/// <param name="Kernel">Name.</param>
/// <param name="Registers">Registers of a thread.</param>
/// <param name="StackBytes">Local memory of a thread.</param>
/// <param name="SpillStoreBytes">Bytes of registers written to local memory.</param>
/// <param name="SpillLoadBytes">Bytes of registers read back.</param>
/// <param name="SharedBytes">Static shared memory of a block.</param>
public sealed record KernelResources(string Kernel, int Registers, int StackBytes, int SpillStoreBytes, int SpillLoadBytes, int SharedBytes);
