using System.CommandLine;
using CoGrpo.Model.Conversion;

namespace CoGrpo.Cli.Commands.Conversion;

/// <summary><c>verify</c>: whether a model folder is whole.</summary>
internal sealed class VerifyCommand : ConversionCommand
{
    private readonly Argument<string> _folder = new("folder")
    {
        Description = "Model folder, published, converted or of a run.",
        HelpName = "FOLDER",
    };
    private readonly SourceOptionSet _options = new();

    /// <summary>The command.</summary>
    public VerifyCommand(CliContext context)
        : base("verify", "Check that a model folder's checksums, configurations and weights fit together; lists everything that does not.", context)
    {
        Add(_folder);
        _options.AddTo(this);
    }

    /// <inheritdoc/>
    protected override int Run(ParseResult parsed, CancellationToken cancellation)
    {
        string folder = parsed.GetRequiredValue(_folder);
        FolderReport? report = null;
        Show("verify", progress => report = FolderVerification.Run(folder, _options.Read(parsed), progress, cancellation));
        foreach (string problem in report!.Problems)
        {
            Context.Out.WriteLine($"problem: {problem.ReplaceLineEndings(" ")}");
        }

        WriteNetworks(report.Networks);
        Context.Out.WriteLine(report.HasChecksums ? "checksums: compared" : "checksums: none in this folder; import writes them");
        if (report.Missing.Count > 0)
        {
            Context.Out.WriteLine($"not here: {string.Join(", ", report.Missing)}; an export takes them from --base");
        }

        return report.Problems.Count == 0 ? ExitCode.Success
            : throw new CommandException($"{folder}: wanted a whole model, found {report.Problems.Count} {(report.Problems.Count == 1 ? "problem" : "problems")}, listed above; restore the files from the model's source");
    }
}
