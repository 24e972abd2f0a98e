using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using CoGrpo.Runtime.Cuda.Kernels;

namespace CoGrpo.Tests.Cuda;

/// <summary>A kernel as its PTX text shows it.</summary>
/// <param name="Name">Name.</param>
/// <param name="ParameterBytes">Size of its one parameter.</param>
/// <param name="TensorCoreInstructions">Matrix products of tensor cores in its text.</param>
internal sealed partial record PtxEntry(string Name, int ParameterBytes, int TensorCoreInstructions)
{
    /// <summary>The kernels of a program.</summary>
    public static IReadOnlyList<PtxEntry> Of(CompiledKernels compiled)
    {
        string text = Encoding.UTF8.GetString(compiled.Ptx);
        MatchCollection entries = Entry().Matches(text);
        List<PtxEntry> kernels = [];
        for (int i = 0; i < entries.Count; i++)
        {
            int end = i + 1 < entries.Count ? entries[i + 1].Index : text.Length;
            ReadOnlySpan<char> body = text.AsSpan(entries[i].Index, end - entries[i].Index);
            kernels.Add(
                new PtxEntry(
                    entries[i].Groups["name"].Value,
                    int.Parse(entries[i].Groups["bytes"].Value, CultureInfo.InvariantCulture),
                    body.Count("mma.sync")
                )
            );
        }

        return kernels;
    }

    [GeneratedRegex(@"\.visible\s+\.entry\s+(?<name>\w+)\s*\(\s*\.param\s+\.align\s+\d+\s+\.b8\s+\k<name>_param_0\[(?<bytes>\d+)\]\s*\)")]
    private static partial Regex Entry();
}
