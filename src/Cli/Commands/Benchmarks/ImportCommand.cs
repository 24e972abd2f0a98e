using System.CommandLine;
using CoGrpo.Rl.Benchmarks;
using CoGrpo.Runtime.Files;

namespace CoGrpo.Cli.Commands.Benchmarks;

/// <summary><c>eval import</c>: scores from the result file of an official evaluator.</summary>
internal sealed class ImportCommand : Command
{
    private readonly BenchmarkArgument _benchmark = new();
    private readonly Argument<string> _file = new("file")
    {
        Description = "results.jsonl of GenEval, dpg-bench_…_results.txt, or the saved output of HPSv2's evaluator.",
        HelpName = "FILE",
    };
    private readonly Option<string?> _output = new("--output", "-o")
    {
        Description = "Folder to write BENCHMARK.md and BENCHMARK.csv to.",
        HelpName = "FOLDER",
    };
    private readonly CliContext _context;

    /// <summary>The command.</summary>
    public ImportCommand(CliContext context)
        : base("import", "Print task scores and overall score of an official evaluator's result file.")
    {
        _context = context;
        Add(_benchmark.Argument);
        Add(_file);
        Add(_output);
        SetAction(Print);
    }

    private int Print(ParseResult parsed)
    {
        string path = parsed.GetRequiredValue(_file);
        ImportedScores scores = _benchmark.Read(parsed) switch
        {
            BenchmarkName.GenEval => GenEvalResults.Read(path),
            BenchmarkName.Dpg => DpgResults.Read(path),
            _ => HpsResults.Read(path),
        };
        TableOutput.Write(_context.Out, scores.Table());
        foreach (string note in scores.Notes)
        {
            _context.Out.WriteLine(note);
        }

        if (parsed.GetValue(_output) is { } output)
        {
            string folder = Directory.CreateDirectory(output).FullName, name = parsed.GetRequiredValue(_benchmark.Argument);
            foreach ((string file, string text) in new[] { (name + ".md", scores.Markdown()), (name + ".csv", scores.Table(digits: 6).ToCsv()) })
            {
                AtomicFile.WriteAllText(Path.Combine(folder, file), text);
                _context.Out.WriteLine(Path.Combine(folder, file));
            }
        }

        return ExitCode.Success;
    }
}
