namespace CoGrpo.CudaEmulator.Ptx;

/// <summary>A parsed PTX text.</summary>
internal sealed class PtxModule
{
    /// <summary>PTX version, 84 for 8.4.</summary>
    public int Version { get; set; }

    /// <summary>Architecture number of <c>.target</c>: 80 for sm_80.</summary>
    public int Target { get; set; }

    /// <summary>Whether the target has the suffix <c>a</c>: code for exactly that architecture.</summary>
    public bool TargetIsExact { get; set; }

    public Dictionary<int, string> Files { get; } = [];

    public Dictionary<string, PtxVariable> Variables { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, PtxFunction> Functions { get; } = new(StringComparer.Ordinal);

    /// <summary>File name and line, for people; with the calls that were inlined.</summary>
    public string Describe(SourceLine? line)
    {
        if (line is null || line.Line == 0)
        {
            return "unknown line";
        }

        string text = $"{FileName(line.File)}:{line.Line}";
        return line.InlinedAt is { Line: > 0 } outer ? $"{text} inlined at {Describe(outer)}" : text;
    }

    public string FileName(int file) => Files.TryGetValue(file, out string? path) ? Path.GetFileName(path) : $"file {file}";
}
