using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using CoGrpo.Bench;
using CoGrpo.Bench.Kernels;
using CoGrpo.Bench.Report;

// With --device the CUDA kernels, on the emulated device or on a GPU (--device emulated --help).
if (args.Contains("--device"))
{
    return KernelBench.Run(args);
}

// No arguments: every suite, and the table goes to bench/results. Arguments are BenchmarkDotNet's (--filter *MatrixProduct*, --list flat,
// --job dry) and leave bench/results alone.
bool all = args.Length == 0;
bool ownJob = !args.Any(a => a is "--job" or "-j");
string[] passed = [.. args];
if (!args.Any(a => a is "--filter" or "-f" or "--list" or "--help" or "--info" or "--version"))
{
    passed = [.. passed, "--filter", "*"];
}

if (!ownJob && !args.Any(a => a is "--inProcess" or "-i"))
{
    passed = [.. passed, "--inProcess"];
}

string folder = BenchFolder();
foreach (string line in Machine.Current.Lines())
{
    Console.WriteLine(line);
}

if (Machine.Current.Warning is { } warning)
{
    Console.WriteLine(warning);
}

Summary[] summaries =
[
    .. BenchmarkSwitcher
        .FromAssembly(typeof(BenchConfig).Assembly)
        .Run(passed, BenchConfig.Create(Path.Combine(folder, "BenchmarkDotNet.Artifacts"), ownJob)),
];
if (summaries.Length == 0)
{
    return 0;
}

string table = ResultTable.Of(summaries);
Console.WriteLine();
Console.WriteLine(table);
if (all)
{
    string cpu = string.Join(
        '-',
        Machine
            .Current.Processor.ToLowerInvariant()
            .Split(
                [.. Machine.Current.Processor.ToLowerInvariant().Where(c => !char.IsAsciiLetterOrDigit(c)).Distinct()],
                StringSplitOptions.RemoveEmptyEntries
            )
    );
    string path = Path.Combine(folder, "results", $"{DateTime.UtcNow:yyyy-MM-dd}-{cpu}.md");
    Directory.CreateDirectory(Path.GetDirectoryName(path)!);
    File.WriteAllText(path, table);
    Console.WriteLine($"written to {path}");
}

return summaries.All(s => s.Reports.Length == s.BenchmarksCases.Length && s.Reports.All(r => r.Success)) ? 0 : 1;

// The folder of this project when it runs from its build output, else the current folder.
static string BenchFolder()
{
    for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
    {
        if (File.Exists(Path.Combine(at.FullName, "CoGrpo.Bench.csproj")))
        {
            return at.FullName;
        }
    }

    return Directory.GetCurrentDirectory();
}
