using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using CoGrpo.Runtime.Cuda;
using CoGrpo.Runtime.Cuda.Kernels;

namespace CoGrpo.Tests.Cuda;

/// <summary>
/// Every kernel, for every architecture and both compilers, compiles without a warning, keeps its registers out of memory, and needs what
/// kernel-resources.tsv says, which is reviewed. COGRPO_UPDATE_GOLDEN=1 writes the table anew.
/// </summary>
public sealed class KernelResourceTests
{
    private const string UpdateVariable = "COGRPO_UPDATE_GOLDEN";
    private const string Header = "kernel\tarchitecture\tnvrtc\tregisters\tshared bytes\ttensor-core instructions";

    private static readonly string Golden = Path.Combine(TestCompilers.Folder, "kernel-resources.tsv");

    private static readonly CudaArchitecture[] Architectures = [new(7, 0), new(7, 5), new(8, 0), new(8, 6), new(8, 9), new(9, 0)];

    [Fact]
    public void KernelsNeedWhatTheTableSays()
    {
        ConcurrentDictionary<string, string> found = new(StringComparer.Ordinal);
        ConcurrentBag<string> faults = [];
        (Nvrtc Nvrtc, CudaArchitecture Architecture, string Stem)[] work =
        [
            .. TestCompilers.All.SelectMany(nvrtc =>
                Architectures.Where(nvrtc.Architectures.Contains).SelectMany(a => KernelSources.Stems.Select(stem => (nvrtc, a, stem)))
            ),
        ];
        Parallel.ForEach(work, item => Measure(item.Nvrtc, item.Architecture, item.Stem, found, faults));
        string[] versions = [.. TestCompilers.All.Select(nvrtc => nvrtc.Version.ToString())];
        if (Environment.GetEnvironmentVariable(UpdateVariable) == "1")
        {
            // Rows of a compiler that is not here stay as they are.
            IEnumerable<KeyValuePair<string, string>> kept = Read().Where(row => !versions.Contains(row.Key.Split('\t')[2]));
            File.WriteAllText(
                Golden,
                string.Join(
                    '\n',
                    kept.Concat(found).OrderBy(row => row.Key, StringComparer.Ordinal).Select(row => $"{row.Key}\t{row.Value}").Prepend(Header)
                ) + "\n"
            );
        }

        Assert.True(faults.IsEmpty, string.Join('\n', faults.Order(StringComparer.Ordinal).Prepend("kernels that do not meet the rules:")));
        string differences = Differences(Read().Where(row => versions.Contains(row.Key.Split('\t')[2])).ToDictionary(StringComparer.Ordinal), found);
        Assert.True(differences.Length == 0, $"{Golden} and the kernels differ (review, then run again with {UpdateVariable}=1):\n{differences}");
    }

    private static void Measure(
        Nvrtc nvrtc,
        CudaArchitecture architecture,
        string stem,
        ConcurrentDictionary<string, string> found,
        ConcurrentBag<string> faults
    )
    {
        CompiledKernels compiled = TestCompilers.Compile(nvrtc, stem, architecture);
        var output = new NvrtcOutput(KernelSources.FileName(stem), architecture, compiled.Ptx, compiled.Cubin, compiled.Log);
        string where = $"{architecture} {nvrtc.Version}";
        foreach (string warning in output.Warnings())
        {
            faults.Add($"{stem} {where}: {warning.Trim()}");
        }

        Dictionary<string, PtxEntry> entries = PtxEntry.Of(compiled).ToDictionary(entry => entry.Name, StringComparer.Ordinal);
        if (entries.Count == 0 && (architecture.HasBFloat16 || !KernelSources.Text(stem).Contains("HAS_BF16", StringComparison.Ordinal)))
        {
            faults.Add($"{stem} {where}: no kernel in the PTX");
        }

        IReadOnlyList<KernelResources> resources = output.Resources();
        if (!resources.Select(r => r.Kernel).Order(StringComparer.Ordinal).SequenceEqual(entries.Keys.Order(StringComparer.Ordinal)))
        {
            faults.Add($"{stem} {where}: the assembler reports {string.Join(' ', resources.Select(r => r.Kernel))}, the PTX has {string.Join(' ', entries.Keys)}");
        }

        foreach (KernelResources kernel in resources)
        {
            if (kernel.SpillStoreBytes + kernel.SpillLoadBytes + kernel.StackBytes > 0)
            {
                faults.Add($"{kernel.Kernel} {where}: {kernel.StackBytes} bytes of stack, {kernel.SpillStoreBytes} spilled, {kernel.SpillLoadBytes} read back");
            }

            int tensorCores = entries.TryGetValue(kernel.Kernel, out PtxEntry? entry) ? entry.TensorCoreInstructions : 0;
            found[$"{kernel.Kernel}\t{architecture}\t{nvrtc.Version}"] = string.Create(
                CultureInfo.InvariantCulture,
                $"{kernel.Registers}\t{kernel.SharedBytes}\t{tensorCores}"
            );
        }
    }

    private static Dictionary<string, string> Read()
    {
        Dictionary<string, string> rows = new(StringComparer.Ordinal);
        foreach (string line in File.Exists(Golden) ? File.ReadAllLines(Golden).Skip(1) : [])
        {
            string[] fields = line.Split('\t');
            rows.Add(string.Join('\t', fields[..3]), string.Join('\t', fields[3..]));
        }

        return rows;
    }

    private static string Differences(Dictionary<string, string> wanted, IReadOnlyDictionary<string, string> found)
    {
        StringBuilder text = new();
        foreach (string key in wanted.Keys.Union(found.Keys).Order(StringComparer.Ordinal))
        {
            string? before = wanted.GetValueOrDefault(key), now = found.GetValueOrDefault(key);
            if (before != now)
            {
                text.AppendLine(CultureInfo.InvariantCulture, $"  {key.Replace('\t', ' ')}: {Words(before)} -> {Words(now)}");
            }
        }

        return text.ToString();
    }

    private static string Words(string? row) => row?.Split('\t') is [var registers, var shared, var tensorCores]
        ? $"{registers} registers, {shared} shared bytes, {tensorCores} tensor-core instructions"
        : "not there";
}
