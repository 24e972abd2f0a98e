using System.CommandLine;
using System.Globalization;
using CoGrpo.Rl.Ablation;
using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.Logging;
using CoGrpo.Rl.Serving;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Cli.Commands;

/// <summary><c>ablate</c>: the paper's ablation tables on any configuration, each arm with several seeds.</summary>
internal sealed class AblateCommand : RunCommand<AblateRequest>
{
    private readonly Option<string> _tables = new("--tables")
    {
        Description = $"Tables of the paper, of {string.Join(", ", AblationTables.Ids)}.",
        HelpName = "LIST",
        DefaultValueFactory = _ => string.Join(',', AblationTables.Ids),
    };

    private readonly Option<string> _seeds = new("--seeds")
    {
        Description = "Seeds of each arm.",
        HelpName = "LIST",
        DefaultValueFactory = _ => "0,1,2",
    };
    private readonly Option<bool> _resume = new("--resume")
    {
        Description = "Keep the finished runs of the output folder and go on with the interrupted ones.",
    };

    /// <summary>The command with its work.</summary>
    public AblateCommand(CliContext context, CommandBody<AblateRequest> body)
        : base(
            "ablate",
            "Run the paper's ablation tables at equal work per arm, a run folder each, and write them with their spread over seeds.",
            context,
            body
        )
    {
        Add(_tables);
        Add(_seeds);
        Add(_resume);
    }

    /// <summary>The work of the command.</summary>
    public static int Execute(
        CliContext context,
        AblateRequest request,
        TextWriter output,
        IProgressReporter progress,
        CancellationToken cancellation
    )
    {
        using ComputeDevice device = DeviceOption.Open(request.Configuration, context);
        AblationReport report = request.Study.Execute(device, request.Resume, progress, cancellation);
        progress.End();
        foreach ((string heading, ResultTable table) in report.Tables)
        {
            output.WriteLine(heading);
            TableOutput.Write(output, table);
            output.WriteLine();
        }

        foreach (string path in report.Files)
        {
            output.WriteLine(path);
        }

        return ExitCode.Success;
    }

    /// <inheritdoc/>
    protected override AblateRequest Read(ParseResult parsed)
    {
        if (parsed.GetValue<long?>("--seed") is { } seed)
        {
            throw new CommandException(
                string.Create(CultureInfo.InvariantCulture, $"--seed: expected --seeds with ablate, found --seed {seed}; write --seeds {seed}"),
                ExitCode.Usage
            );
        }

        string[] tables = Entries("--tables", parsed.GetValue(_tables)!);
        if (tables.FirstOrDefault(table => !AblationTables.Ids.Contains(table)) is { } unknown)
        {
            throw new CommandException(
                $"--tables: expected some of {string.Join(", ", AblationTables.Ids)}, found {unknown}; correct the option",
                ExitCode.Usage
            );
        }

        long[] seeds =
        [
            .. Entries("--seeds", parsed.GetValue(_seeds)!)
                .Select(text =>
                    long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number)
                        ? number
                        : throw new CommandException($"--seeds: expected whole numbers from 0 on, found {text}; correct the option", ExitCode.Usage)
                ),
        ];
        RunConfiguration configuration = Run.Load(parsed);

        // A run of its own may stand in the configured folder.
        string folder = parsed.GetValue<string?>("--output") ?? configuration.Output.Directory + "-ablation";
        return new AblateRequest(
            configuration,
            new AblationStudy(overrides => Run.Load(parsed, overrides), tables, seeds, folder),
            parsed.GetValue(_resume)
        );
    }

    private static string[] Entries(string option, string list)
    {
        string[] entries = list.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return entries.Length > 0 && entries.Distinct().Count() == entries.Length
            ? entries
            : throw new CommandException(
                $"{option}: expected one or more different entries with commas between them, found '{list}'; correct the option",
                ExitCode.Usage
            );
    }
}
