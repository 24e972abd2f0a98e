using System.CommandLine;
using CoGrpo.Model.Conversion;
using CoGrpo.Runtime.Files;

namespace CoGrpo.Cli.Commands.Conversion;

/// <summary><c>synthesize</c>: a folder like the published ones with seeded weights.</summary>
internal sealed class SynthesizeCommand : ConversionCommand
{
    private readonly Argument<string> _output = new("out") { Description = "Folder to write, which must not exist.", HelpName = "OUT" };
    private readonly Option<ulong> _seed = new("--seed")
    {
        Description = "Seed of the weights.",
        HelpName = "N",
        DefaultValueFactory = _ => 1,
    };
    private readonly Option<string> _size = new("--size")
    {
        Description = "Published sizes (6 GB in fp32) or tiny ones (7 MB).",
        HelpName = "full|tiny",
        DefaultValueFactory = _ => "full",
    };
    private readonly Option<string> _model = new("--model")
    {
        Description = "With or without the blocks that halve and double the grid.",
        HelpName = "meissonic|monetico",
        DefaultValueFactory = _ => "meissonic",
    };
    private readonly Option<string?> _type = ElementTypeOption("Element type of the weights; fp32 without it.");
    private readonly Option<int> _shards = new("--shards")
    {
        Description = "Weight files of each network.",
        HelpName = "N",
        DefaultValueFactory = _ => 1,
    };

    /// <summary>The command.</summary>
    public SynthesizeCommand(CliContext context)
        : base(
            "synthesize",
            "Write a model folder in the published layout with seeded weights, to try conversion and sampling without the published ones.",
            context
        )
    {
        _size.AcceptOnlyFromAmong("full", "tiny");
        _model.AcceptOnlyFromAmong("meissonic", "monetico");
        Add(_output);
        Add(_seed);
        Add(_size);
        Add(_model);
        Add(_type);
        Add(_shards);
    }

    /// <inheritdoc/>
    protected override int Run(ParseResult parsed, CancellationToken cancellation)
    {
        int shards = parsed.GetValue(_shards);
        if (shards is < 1 or > 99_999)
        {
            throw new CommandException($"--shards: expected a whole number from 1 to 99999, found {shards}; correct the option", ExitCode.Usage);
        }

        string output = Path.GetFullPath(parsed.GetRequiredValue(_output));
        SyntheticModel sizes = parsed.GetValue(_size) == "tiny" ? SyntheticModel.Tiny : SyntheticModel.Full;
        SyntheticModel model = parsed.GetValue(_model) == "monetico" ? sizes.WithoutResampling() : sizes;
        Show(
            "synthesize",
            progress =>
                SyntheticFolder.Write(
                    output,
                    model,
                    parsed.GetValue(_seed),
                    ElementType(parsed.GetValue(_type)) ?? SafetensorsType.F32,
                    shards,
                    progress,
                    cancellation
                )
        );
        Context.Out.WriteLine($"model: {output}");
        return ExitCode.Success;
    }
}
